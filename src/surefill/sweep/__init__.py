"""Run plans: many variants of one strategy, each through the engine, compared by what came of them.

::

    from surefill.sweep import generate

    plan = generate(base_spec, {"sweep": {"entry.params.fast": [5, 10, 20]}}, objective="sharpe")
    result = execute(plan, Market(settings, series), journal)
    for row in result.rows: ...

A variant is a base spec with overrides, in a workspace of its own.
"""

from surefill.sweep.axes import Span
from surefill.sweep.canonical import VARIANT_NS, canonical_json, variant_id_of, workspace_of
from surefill.sweep.cluster import ClusterWorkers
from surefill.sweep.executors import Executor, InProcess, WorkerProcesses
from surefill.sweep.metrics import VariantMetrics
from surefill.sweep.objectives import OBJECTIVES
from surefill.sweep.orchestrator import Market, Progress, conditions_of, execute
from surefill.sweep.overrides import apply_overrides
from surefill.sweep.plan import Constraints, RunPlan, Variant, generate, load_constraints
from surefill.sweep.result import RunResult
from surefill.sweep.split import TrainTest, WalkForward

__all__ = [
    "OBJECTIVES",
    "VARIANT_NS",
    "ClusterWorkers",
    "Constraints",
    "Executor",
    "InProcess",
    "Market",
    "Progress",
    "RunPlan",
    "RunResult",
    "Span",
    "TrainTest",
    "Variant",
    "VariantMetrics",
    "WalkForward",
    "WorkerProcesses",
    "apply_overrides",
    "canonical_json",
    "conditions_of",
    "execute",
    "generate",
    "load_constraints",
    "variant_id_of",
    "workspace_of",
]
