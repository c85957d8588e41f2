"""Which sizes Fargate has: memory goes with CPU in certain pairs only."""

from __future__ import annotations

# CPU units → MiB. Source: Amazon ECS, "Task definition parameters for Fargate", task size.
MEMORY_BY_CPU = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}


def memory_instead(cpu_units: int, memory_mib: int) -> str:
    """What to write instead of a memory that does not go with this CPU; empty when it does."""
    sizes = MEMORY_BY_CPU[cpu_units]
    if memory_mib in sizes:
        return ""
    enough = next((size for size in sizes if size > memory_mib), sizes[-1])
    return f"{enough}: {sizes[0]} to {sizes[-1]} go with task.cpu_units {cpu_units}"
