"""The faults, one small file each; each file's ``FAULTS`` are found by ``tests.chaos.__main__``."""
