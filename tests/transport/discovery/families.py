"""What the names of models stand for, by family."""

from __future__ import annotations

from tests.transport.discovery.discovering import THINKS, TOOLS

STRUCTURED = ("structured-output",)
LONG = ("128k-context",)
QWEN25 = (*TOOLS, *STRUCTURED, *LONG)
QWEN3 = (*QWEN25, *THINKS)
THINKER = (*THINKS, *STRUCTURED, *LONG)
NAMES = [
    ("qwen2.5:7b", QWEN25),
    ("Qwen/Qwen2.5-7B-Instruct", QWEN25),
    ("QWEN-2.5-72B", QWEN25),
    ("mlx-community/Qwen2.5-7B-Instruct-4bit", QWEN25),
    ("qwen2.5-coder:32b", (*QWEN25, "code-fim")),
    ("Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf", (*QWEN25, "code-fim")),
    ("qwen3:8b", QWEN3),
    ("qwen-3-14b", QWEN3),
    ("lmstudio-community/Qwen3_30B_A3B.GGUF", QWEN3),
    ("qwen3-coder:30b", (*QWEN3, "code-fim")),
    ("qwen/qwen3_coder_480b", (*QWEN3, "code-fim")),
    ("llama3.1", QWEN25),
    ("llama3.1:8b", QWEN25),
    ("llama3.2:latest", QWEN25),
    ("meta-llama/Llama-3.3-70B-Instruct", QWEN25),
    ("meta-llama/Meta-Llama-3.1-8B-Instruct", QWEN25),
    ("Llama_3.2_3B.safetensors", QWEN25),
    ("llama4:scout", QWEN25),
    ("llama-4-maverick-17b", QWEN25),
    ("deepseek-r1:8b", THINKER),
    ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", THINKER),
    ("phi-4", THINKER),
    ("phi4:14b", THINKER),
    ("microsoft/Phi_4_mini", THINKER),
    ("gpt-oss:20b", (*THINKER, *TOOLS)),
    ("openai/gpt-oss-120b", (*THINKER, *TOOLS)),
    ("mistral:7b", (*TOOLS, *STRUCTURED)),
    ("mistralai/Mistral-Small-24B-Instruct-2501", (*TOOLS, *STRUCTURED)),
    ("gemma3:4b", STRUCTURED),
    ("google/gemma-3-27b-it", STRUCTURED),
    ("codellama:13b", ("code-fim",)),
    ("CodeLlama-7b-hf.gguf", ("code-fim",)),
    ("qwen2:7b", ()),
    ("qwen", ()),
    ("llama3", ()),
    ("llama-2-7b", ()),
    ("llama2:13b", ()),
    ("gemma2:9b", ()),
    ("phi3", ()),
    ("deepseek-v3", ()),
    ("gpt-4o", ()),
    ("my-own-model", ()),
    ("", ()),
]
