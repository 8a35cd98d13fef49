"""A random, seeded qwen2 model for tests: made in seconds, without downloads.

It speaks printable-ASCII nonsense over the true protocol and never ends on its own, so a request
always runs to its ``max_tokens`` (or to a stop word) and every token becomes a chunk of the stream.
``mlx_lm convert -q`` makes a real quantized tier of it.

Run it as ``python -m tests.support.tiny_model DIR``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MARKER = "tiny-model.done"
RECIPE = "aldo-tiny-qwen2-1"  # raise the number when the files written below change
SEED = 20240607
CONTEXT = 32768
EOS = "<|endoftext|>"
# The three tokens the template and tool calls use; the other specials are never produced either.
SPECIALS = [EOS, "<|im_start|>", "<|im_end|>"]

# ChatML with the tool conventions of qwen 2.5, so that the server finds its json tool parser.
CHAT_TEMPLATE = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages and messages[0].role == 'system' %}
        {{- (messages[0].content or '') + '\\n\\n' }}
    {%- endif %}
    {{- '# Tools\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '\\n</tools>\\nCall one as <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if not (tools and loop.first and message.role == 'system') %}
        {{- '<|im_start|>' + message.role + '\\n' + (message.content or '') }}
        {%- for call in (message.tool_calls or []) %}
            {%- set tool_call = call.function or call %}
            {{- '\\n<tool_call>{"name": ' + (tool_call.name | tojson) }}
            {{- ', "arguments": ' + ((tool_call.arguments or {}) | tojson) + '}</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def build_tiny_model(directory: Path) -> Path:
    """Make the model in ``directory`` unless a finished one is there; returns ``directory``.

    The files appear all at once, by a rename, so builds may run side by side or be killed. A
    non-empty directory that this function did not make is left alone (``FileExistsError``).
    """
    directory = Path(directory)
    if _finished(directory):
        return directory
    if (
        directory.is_dir()
        and any(directory.iterdir())
        and not (directory / MARKER).exists()
        and not _finished(directory)  # a parallel build may have landed between the looks
    ):
        raise FileExistsError(f"{directory} holds other files; give an empty or a new directory")
    directory.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{directory.name}.building-", dir=directory.parent))
    try:
        fresh = scratch / "model"
        fresh.mkdir()
        _write_model(fresh)
        (fresh / MARKER).write_text(RECIPE + "\n", encoding="utf-8")
        _put(fresh, directory, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return directory


def quantize(model: Path, directory: Path) -> Path:
    """The 4-bit conversion of a model, made by ``mlx_lm convert``; returns ``directory``."""
    command = [sys.executable, "-m", "mlx_lm", "convert", "--hf-path", str(model), "--mlx-path", str(directory)]
    subprocess.run([*command, "-q", "--q-bits", "4"], check=True, capture_output=True)
    return directory


def _finished(directory: Path) -> bool:
    """Whether a model of today's recipe is there."""
    try:
        return (directory / MARKER).read_text(encoding="utf-8").strip() == RECIPE
    except OSError:
        return False


def _put(fresh: Path, directory: Path, scratch: Path) -> None:
    """Rename ``fresh`` to ``directory``; a parallel build that came first wins, a stale one goes."""
    for attempt in range(10):
        try:
            fresh.rename(directory)  # also takes the place of an empty directory
            return
        except OSError:
            if _finished(directory):
                return
            if not (directory / MARKER).exists():
                raise
            with contextlib.suppress(FileNotFoundError):
                directory.rename(scratch / f"stale-{attempt}")
    raise RuntimeError(f"{directory} keeps changing")


def _write_model(directory: Path) -> None:
    vocabulary = _write_tokenizer(directory)
    config: dict[str, Any] = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "intermediate_size": 512,
        "num_attention_heads": 4,  # a head size of 64: vLLM refuses 16
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-6,
        "vocab_size": len(vocabulary),
        "max_position_embeddings": CONTEXT,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": False,
        "hidden_act": "silu",
        "bos_token_id": None,
        "eos_token_id": vocabulary[EOS],
        "torch_dtype": "float32",
    }
    _write_json(directory / "config.json", config)
    _write_weights(directory / "model.safetensors", config, vocabulary)


def _write_tokenizer(directory: Path) -> dict[str, int]:
    """A byte-level BPE without merges: one token per byte, then the special ones."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    tool_marks = ["<tool_call>", "</tool_call>"]
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in tool_marks])
    tokenizer.save(str(directory / "tokenizer.json"))
    _write_json(
        directory / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": EOS,
            "pad_token": EOS,
            "model_max_length": CONTEXT,
            "clean_up_tokenization_spaces": False,
            "chat_template": CHAT_TEMPLATE,
        },
    )
    vocabulary: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    return vocabulary


def _write_weights(path: Path, config: dict[str, Any], vocabulary: dict[str, int]) -> None:
    """Random weights in which only printable ASCII is ever likely.

    Channel 0 of the residual stream is a positive constant: every embedding holds it and no layer
    writes to it. The head turns it into a large negative logit for all unwanted tokens.
    """
    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_map_with_path
    from mlx_lm.models import qwen2

    mx.random.seed(SEED)
    arguments: Any = qwen2.ModelArgs  # its base class has no type hints
    model = qwen2.Model(arguments.from_dict(config))
    wanted = {chr(code) for code in range(0x21, 0x7F)}
    bias = mx.array([0.0 if token in wanted else -400.0 for token in sorted(vocabulary, key=vocabulary.__getitem__)])

    def shape(name: str, value: Any) -> Any:
        if name == "model.embed_tokens.weight":
            value[:, 0] = 1.0
        elif name.endswith(("o_proj.weight", "down_proj.weight")):
            value[0, :] = 0.0
        elif name == "lm_head.weight":
            value[:, 0] = bias
        return value

    model.update(tree_map_with_path(shape, model.parameters()))
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(path), weights, metadata={"format": "mlx"})


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Command line: make the model and print where it is."""
    parser = argparse.ArgumentParser(description="Make the random model the tests serve.")
    parser.add_argument("directory", type=Path)
    print(build_tiny_model(parser.parse_args().directory))


if __name__ == "__main__":
    main()
