"""Rebuild the paper: fetch → train → measure → tabulate → analyse → plot → number → typeset."""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/scheduler.smk"
include: "workflow/rules/common.smk"


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# Used with `--software-deployment-method apptainer` alone; docs/cluster.md says how to build it.
container: "sidestep.sif"


# Where jobs run on other machines, these limits are of each such job, not of all together.
resource_scopes:
    gpu="local",
    turn="local",


CONFIG = checked_config()
prepare_plan(CONFIG)


wildcard_constraints:
    study="|".join(CONFIG.every_study),
    dataset="[a-z0-9_]+",
    variant="[^/]+",
    seed="[0-9]+",
    analysis="[a-z0-9_]+",
    figure="[a-z0-9_]+",


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"


# Never sent to a cluster: what needs the internet, and the seconds at the end.
localrules:
    all,
    fetch_data,
    figures,
    gather_numbers,
    make_report,
    paper,
    report,
    search,
    typeset_paper,


# Tables and figures too: Snakemake makes lost files anew only where somebody asks for them.
rule all:
    default_target: True
    input:
        rules.typeset_paper.output.pdf,
        all_tables(),
        all_figures("svg", "png", "csv", "sha256"),


rule figures:
    input:
        all_figures(),


rule paper:
    input:
        rules.typeset_paper.output.pdf,


rule report:
    input:
        rules.make_report.output,


rule search:
    input:
        [str(layout.table(name, "choice")) for name in CONFIG.searches],
