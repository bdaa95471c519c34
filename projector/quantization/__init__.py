"""Quantization: codes that take a fraction of the bytes of the vectors that they stand for, and compare about alike."""
