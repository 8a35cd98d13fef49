"""Two servers on the loopback that behave as Ollama and LM Studio do, so far as the facts table records them.

They answer by rule, not by model: "You said N words.", a token for every four characters. What differs between
versions is a quirk; what goes wrong at one request is a `Fault`. Sources are marked as in the table: [S] read in
source, [D] documented, [I] reported in an issue. What they do not play they say with a 501.
"""

from tests.support.fake_runtimes.http_server import Answer, Asked
from tests.support.fake_runtimes.lm_studio import FakeLmStudio
from tests.support.fake_runtimes.lm_studio_models import LM_STUDIO_MODELS, LmStudioModel, LmStudioQuirks
from tests.support.fake_runtimes.ollama import FakeOllama
from tests.support.fake_runtimes.ollama_models import OLLAMA_MODELS, OllamaModel, OllamaQuirks
from tests.support.fake_runtimes.runtime import Fault
from tests.support.fake_runtimes.speaking import instance

__all__ = [
    "LM_STUDIO_MODELS",
    "OLLAMA_MODELS",
    "Answer",
    "Asked",
    "FakeLmStudio",
    "FakeOllama",
    "Fault",
    "LmStudioModel",
    "LmStudioQuirks",
    "OllamaModel",
    "OllamaQuirks",
    "instance",
]
