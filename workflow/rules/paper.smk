rule gather_numbers:
    """Gather the numbers that the paper quotes."""
    input:
        studies=[planned_study(study) for study in CONFIG.studies.values()],
        tables=[str(layout.table(name)) for name in CONFIG.studies],
        analyses=[
            str(layout.table(study.name, thing["name"]))
            for study in CONFIG.studies.values()
            for thing in study.analyses
        ],
        provenance=[str(layout.provenance(name)) for name in CONFIG.studies],
        timing=[path for study in CONFIG.studies.values() for path in timings_of(study)],
        data=sorted(
            {path for study in CONFIG.studies.values() for path in digests_of(study)}
        ),
        code=code_file(numbers_entries(CONFIG)),
    output:
        "results/numbers.json",
    log:
        "results/logs/gather_numbers.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        size=CONFIG.size,
    message:
        "gather the numbers of the paper"
    shell:
        "python -m sidestep numbers --study {input.studies} --size {params.size:q}"
        " --code {input.code} > {log} 2>&1"


rule make_report:
    """Snakemake's own report: every figure with its caption, what made it, and how long it took."""
    input:
        config=planned_config(),
        figures=all_figures(),
        paper="results/paper.pdf",
    output:
        "results/report.html",
    log:
        "results/logs/make_report.log",
    conda:
        "../../environment.yml"
    threads: 1
    message:
        "make the report"
    shell:
        "{{ python -m sidestep verify {input.figures}"
        " && snakemake --report {output} --cores 1 --nolock --configfile {input.config};"
        " }} > {log} 2>&1"


rule typeset_paper:
    """Typeset the paper from its text, the numbers and the figures."""
    input:
        text=sorted(str(path) for path in Path("paper").rglob("*.*")),
        numbers="results/numbers.json",
        figures=all_figures(),
    output:
        pdf="results/paper.pdf",
    log:
        "results/logs/typeset_paper.log",
    conda:
        "../../environment.yml"
    threads: 1
    message:
        "typeset the paper"
    shell:
        "python -m sidestep typeset > {log} 2>&1"
