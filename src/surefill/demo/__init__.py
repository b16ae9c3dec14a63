"""The demonstration: two strategies on thirteen years of five shares, killed in the middle, and proved afterwards.

::

    result = surefill.demo.run(Path("artifacts/demo"), console=Console(), json=False)

`result.report` is the HTML report, `result.journal` the journal that it was made from.
"""

from surefill.demo.show import DemoResult, run

__all__ = ["DemoResult", "run"]
