"""The benchmark's report: leaderboards, tables and failures as one HTML file."""

from hubel.evals.report.page import write_report

__all__ = ["write_report"]
