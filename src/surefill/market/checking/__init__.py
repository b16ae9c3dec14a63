"""Files of market data looked through before anybody trades on them: all that is wrong, and all that is odd."""

from surefill.market.checking.doubts import doubts_of
from surefill.market.checking.files import Asked, FileReport, check_file
from surefill.market.checking.findings import Finding

__all__ = ["Asked", "FileReport", "Finding", "check_file", "doubts_of"]
