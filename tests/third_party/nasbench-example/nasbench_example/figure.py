"""A figure."""

from reports.figures.figure import Figure


def data(results):
    return results.finished[["method", "seed", "report"]]


def draw(frame, ax):
    methods = list(dict.fromkeys(frame["method"]))
    ax.boxplot([frame.loc[frame["method"] == method, "report"] for method in methods])
    ax.set_xticks(range(1, len(methods) + 1), methods)
    return ax


SUMMARY = "What each method's runs were judged by, as boxes."
SPREAD = Figure("Spread", SUMMARY, data, draw, in_report=True)
