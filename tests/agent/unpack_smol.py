"""Unpack SmolLM2's GGUF file into safetensors: ``python unpack_smol.py FOLDER_OF_GGUF TO``."""

import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer


def unpack(source: Path, to: Path) -> None:
    """Dequantise the one GGUF file of a folder."""
    (packed,) = source.glob("*.gguf")
    net = AutoModelForCausalLM.from_pretrained(source, gguf_file=packed.name)
    tokens = AutoTokenizer.from_pretrained(source, gguf_file=packed.name)
    # It is dequantised already; transformers would refuse to save it all the same.
    net.hf_quantizer, net.is_quantized = None, False
    if hasattr(net.config, "quantization_config"):
        del net.config.quantization_config
    net.save_pretrained(to)
    tokens.save_pretrained(to)


if __name__ == "__main__":
    unpack(*map(Path, sys.argv[1:3]))
