"""For tests of surefill and of what is built on it: conformance suites, fault injection, recorders."""
