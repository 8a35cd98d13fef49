"""A picture and a sound for models that claim to see and hear."""

from __future__ import annotations

import base64
import struct
import zlib

_SIDE = 64


def picture(red: int, green: int, blue: int) -> str:
    """A square of one colour, as the data URL of a PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + bytes((red, green, blue)) * _SIDE
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * _SIDE)) + chunk(b"IEND", b"")
    )
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def silence() -> str:
    """A tenth of a second of nothing, as the base64 of a WAV of 16 kHz."""
    samples = b"\0\0" * 1600
    form = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
    riff = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return base64.b64encode(b"RIFF" + struct.pack("<I", len(riff)) + riff).decode()
