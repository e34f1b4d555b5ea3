"""A library that makes syncs do nothing, to be put before a process with LD_PRELOAD: what durability costs, and what it is good for."""
import os
import shutil
import subprocess

SOURCE = """
#include <stddef.h>
int fsync(int fd) { return 0; }
int fdatasync(int fd) { return 0; }
int sync_file_range(int fd, long o, long n, unsigned f) { return 0; }
int msync(void *p, size_t n, int f) { return 0; }
"""


def library(folder):
    """The library's path, or None if there is no C compiler."""
    compiler = next((c for c in ("clang", "gcc", "cc") if shutil.which(c)), None)
    if not compiler:
        return None
    source, made = os.path.join(folder, "nosync.c"), os.path.join(folder, "nosync.so")
    with open(source, "w") as f:
        f.write(SOURCE)
    subprocess.run([compiler, "-w", "-shared", "-fPIC", "-o", made, source], check=True)
    return made
