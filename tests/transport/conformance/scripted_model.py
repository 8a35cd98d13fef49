"""A model that says what the end of its prompt calls for, for every real server: only the words are staged.

The next token depends on the last one: the embeddings are one-hot and the head is a table. After most tokens any
printable character may follow, so that the seed decides the text. Where the last message speaks of the weather, of
zebras and so on, the chat template ends the prompt in a token of its own, from which a chain of tokens leads to a
tool call, a thought, or a text beyond ASCII; its bytes are tokens, so that a character arrives in pieces. Two heads
of attention remember whether two calls were asked for, and which of them is made. The same weights are written for
transformers (mlx_lm, vLLM) and as GGUF (llama.cpp).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.tiny_model import CHAT_TEMPLATE

EOS = "<|endoftext|>"
CONTEXT = 1024
HEADS, KV_HEADS, HEAD_SIZE = 6, 2, 64
HIDDEN = HEADS * HEAD_SIZE  # more than there are tokens; the last two channels are the heads'
INNER = 64
SLOWEST = HEAD_SIZE // 2 - 1  # the channel of a head that its place in the prompt turns least
ROPE_THETA = 1e15
NEVER, MAYBE, ALWAYS, SWITCH, RATHER = -300.0, 0.0, 100.0, 200.0, 6.0

UNICODE = "é世🦓"  # no byte of it comes twice, so that each can lead to the next
THOUGHT, THOUGHTFUL = "Stripes, I think.", "They are striped."
FIRST_CALL = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
SECOND_CALL = '{"name": "get_weather", "arguments": {"city": "Oslo"}}'
WRONG, RIGHT = '{"words": 3}', '{"words": 2}'
START, END, THINK, UNTHINK = "<tool_call>", "</tool_call>", "<think>", "</think>"

GO_UNICODE, GO_CALL, GO_CALLS, GO_THINK, GO_WRONG, GO_RIGHT = (
    f"<|go:{name}|>" for name in ("unicode", "call", "calls", "think", "wrong", "right")
)
SPECIALS = (EOS, "<|im_start|>", "<|im_end|>", GO_UNICODE, GO_CALL, GO_CALLS, GO_THINK, GO_WRONG, GO_RIGHT)
WORDS = (START, END, THINK, UNTHINK, FIRST_CALL, SECOND_CALL, WRONG, RIGHT, THOUGHT, THOUGHTFUL)

CHAINS: tuple[tuple[str, ...], ...] = (
    (GO_CALL, START, FIRST_CALL, END, EOS),
    (GO_CALLS, START),
    (SECOND_CALL, END),
    (GO_THINK, THINK, THOUGHT, UNTHINK, THOUGHTFUL, EOS),
    (GO_WRONG, WRONG, EOS),
    (GO_RIGHT, RIGHT, EOS),
)

_USUAL_END = "{{- '<|im_start|>assistant\\n' }}"
_USUAL_CONTENT = "(message.content or '')"
TEMPLATE = CHAT_TEMPLATE.replace(
    _USUAL_CONTENT,
    f"('{THINK}' + message.reasoning_content + '{UNTHINK}' if message.reasoning_content else '') + {_USUAL_CONTENT}",
).replace(
    _USUAL_END,
    _USUAL_END
    + f"""
    {{%- set last = messages[-1] if messages else {{'role': '', 'content': ''}} %}}
    {{%- set asked = last.content or '' %}}
    {{%- if last.role == 'user' and 'beyond ASCII' in asked %}}{{{{- '{GO_UNICODE}' }}}}
    {{%- elif last.role == 'user' and 'That is not right' in asked %}}{{{{- '{GO_RIGHT}' }}}}
    {{%- elif last.role == 'user' and 'Count the words' in asked %}}{{{{- '{GO_WRONG}' }}}}
    {{%- elif last.role == 'user' and 'zebra' in asked %}}{{{{- '{GO_THINK}' }}}}
    {{%- elif tools and last.role == 'user' and 'weather' in asked and ' and ' in asked %}}{{{{- '{GO_CALLS}' }}}}
    {{%- elif tools and last.role == 'user' and 'weather' in asked %}}{{{{- '{GO_CALL}' }}}}
    {{%- endif %}}""",
)
assert THINK in TEMPLATE
assert GO_CALL in TEMPLATE

Tensors = Mapping[str, np.ndarray]


def letters_of_bytes() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


LETTERS = letters_of_bytes()
VOCABULARY: dict[str, int] = {token: i for i, token in enumerate((*LETTERS, *SPECIALS, *WORDS))}


def head_table() -> np.ndarray:
    """Row: the next token. Column: the last one, or what a head has seen."""
    table = np.full((len(VOCABULARY), HIDDEN), NEVER, dtype=np.float32)
    table[:, len(VOCABULARY) :] = 0.0
    table[[VOCABULARY[chr(code)] for code in range(0x21, 0x7F)], : len(VOCABULARY)] = MAYBE
    for last, following in ("{}", "[]", '""', "}}", "]]"):  # short JSON where a grammar asks for JSON
        table[VOCABULARY[following], VOCABULARY[last]] = RATHER
    unicode = (GO_UNICODE, *(LETTERS[byte] for byte in UNICODE.encode()), EOS)
    for chain in (*CHAINS, unicode):
        for last, following in pairwise(chain):
            table[:, VOCABULARY[last]] = NEVER
            table[VOCABULARY[following], VOCABULARY[last]] = ALWAYS
    table[VOCABULARY[START], VOCABULARY[END]] = table[VOCABULARY[SECOND_CALL], VOCABULARY[START]] = MAYBE
    table[VOCABULARY[START], -2] = table[VOCABULARY[SECOND_CALL], -1] = SWITCH
    return table


def tensors() -> dict[str, np.ndarray]:
    """The weights by the names of transformers."""
    size = len(VOCABULARY)
    assert size <= HIDDEN - 2

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype=np.float32)

    embeddings = zeros(size, HIDDEN)
    embeddings[np.arange(size), np.arange(size)] = 1.0
    loud = HIDDEN**0.5  # what the norm makes of a one
    query, key, value, out = zeros(HIDDEN), zeros(KV_HEADS, HEAD_SIZE, HIDDEN), zeros(KV_HEADS, HEAD_SIZE, HIDDEN), zeros(HIDDEN, HIDDEN)  # fmt: skip
    for pair, seen in enumerate((((GO_CALLS, 30.0, 1.0), (SECOND_CALL, 60.0, 0.0)), ((FIRST_CALL, 30.0, 1.0),))):
        first = pair * (HEADS // KV_HEADS) * HEAD_SIZE
        query[first + SLOWEST] = HEAD_SIZE**0.5
        for token, attention, meaning in seen:
            key[pair, SLOWEST, VOCABULARY[token]] = attention / loud
            value[pair, 0, VOCABULARY[token]] = meaning / loud
        out[HIDDEN - 2 + pair, first] = 1.0
    kv = KV_HEADS * HEAD_SIZE
    layer = "model.layers.0."
    return {
        "model.embed_tokens.weight": embeddings,
        f"{layer}input_layernorm.weight": zeros(HIDDEN) + 1,
        f"{layer}self_attn.q_proj.weight": zeros(HIDDEN, HIDDEN),
        f"{layer}self_attn.q_proj.bias": query,
        f"{layer}self_attn.k_proj.weight": key.reshape(kv, HIDDEN),
        f"{layer}self_attn.k_proj.bias": zeros(kv),
        f"{layer}self_attn.v_proj.weight": value.reshape(kv, HIDDEN),
        f"{layer}self_attn.v_proj.bias": zeros(kv),
        f"{layer}self_attn.o_proj.weight": out,
        f"{layer}post_attention_layernorm.weight": zeros(HIDDEN) + 1,
        f"{layer}mlp.gate_proj.weight": zeros(INNER, HIDDEN),
        f"{layer}mlp.up_proj.weight": zeros(INNER, HIDDEN),
        f"{layer}mlp.down_proj.weight": zeros(HIDDEN, INNER),
        "model.norm.weight": zeros(HIDDEN) + 1,
        "lm_head.weight": head_table() / loud,
    }


def write_transformers(directory: Path) -> Path:
    """The model as mlx_lm and vLLM read it; returns `directory`."""
    from safetensors.numpy import save_file
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    directory.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE(vocab={letter: VOCABULARY[letter] for letter in LETTERS}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in WORDS])
    assert tokenizer.get_vocab() == VOCABULARY
    tokenizer.save(str(directory / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": EOS,
        "pad_token": EOS,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "chat_template": TEMPLATE,
    }
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": HIDDEN,
        "num_hidden_layers": 1,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "rms_norm_eps": 1e-6,
        "vocab_size": len(VOCABULARY),
        "max_position_embeddings": CONTEXT,
        "rope_theta": ROPE_THETA,
        "tie_word_embeddings": False,
        "hidden_act": "silu",
        "bos_token_id": None,
        "eos_token_id": VOCABULARY[EOS],
        "torch_dtype": "float32",
    }
    for name, value in (("tokenizer_config.json", described), ("config.json", config)):
        (directory / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    save_file(tensors(), directory / "model.safetensors", metadata={"format": "mlx"})
    return directory


# GGUF, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

_U32, _F32, _BOOL, _STRING, _ARRAY, _I32 = 4, 6, 7, 8, 9, 5
_ALIGNMENT = 32
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.layers.0.input_layernorm": "blk.0.attn_norm",
    "model.layers.0.self_attn.q_proj": "blk.0.attn_q",
    "model.layers.0.self_attn.k_proj": "blk.0.attn_k",
    "model.layers.0.self_attn.v_proj": "blk.0.attn_v",
    "model.layers.0.self_attn.o_proj": "blk.0.attn_output",
    "model.layers.0.post_attention_layernorm": "blk.0.ffn_norm",
    "model.layers.0.mlp.gate_proj": "blk.0.ffn_gate",
    "model.layers.0.mlp.up_proj": "blk.0.ffn_up",
    "model.layers.0.mlp.down_proj": "blk.0.ffn_down",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _field(name: str, value: Any) -> bytes:
    return _text(name) + _typed(value)


def _typed(value: Any) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", _BOOL, value)
        case int():
            return struct.pack("<II", _U32, value)
        case float():
            return struct.pack("<If", _F32, value)
        case str():
            return struct.pack("<I", _STRING) + _text(value)
    return struct.pack("<I", _ARRAY) + _array(value)


def _array(values: Sequence[Any]) -> bytes:
    if isinstance(values[0], str):
        return struct.pack("<IQ", _STRING, len(values)) + b"".join(map(_text, values))
    return struct.pack(f"<IQ{len(values)}i", _I32, len(values), *values)


def write_gguf(path: Path) -> Path:
    """The model as llama.cpp reads it; returns `path`."""
    kinds = [_NORMAL] * len(LETTERS) + [_CONTROL] * len(SPECIALS) + [_USER_DEFINED] * len(WORDS)
    fields = {
        "general.architecture": "qwen2",
        "general.name": "scripted",
        "qwen2.context_length": CONTEXT,
        "qwen2.embedding_length": HIDDEN,
        "qwen2.block_count": 1,
        "qwen2.feed_forward_length": INNER,
        "qwen2.attention.head_count": HEADS,
        "qwen2.attention.head_count_kv": KV_HEADS,
        "qwen2.rope.freq_base": ROPE_THETA,
        "qwen2.attention.layer_norm_rms_epsilon": 1e-6,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": list(VOCABULARY),
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": ["\u0100 \u0100"],  # of a byte that no text holds: an empty list has no type
        "tokenizer.ggml.eos_token_id": VOCABULARY[EOS],
        "tokenizer.ggml.padding_token_id": VOCABULARY[EOS],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }
    weights = tensors()
    head = [b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(fields))]
    head += [_field(name, value) for name, value in fields.items()]
    data: list[bytes] = []
    place = 0
    for name, tensor in weights.items():
        stem, _, ending = name.rpartition(".")
        shape = tensor.shape[::-1]
        head.append(_text(f"{_NAMES[stem]}.{ending}") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, place))
        raw = tensor.astype("<f4").tobytes()
        raw += bytes(-len(raw) % _ALIGNMENT)
        data.append(raw)
        place += len(raw)
    start = b"".join(head)
    path.write_bytes(start + bytes(-len(start) % _ALIGNMENT) + b"".join(data))
    return path
