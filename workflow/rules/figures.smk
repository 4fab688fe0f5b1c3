rule plot_figure:
    """Draw one figure from a study's tables."""
    input:
        study=study_file,
        table="results/tables/{study}.csv",
        analyses=lambda wildcards: [
            str(layout.table(wildcards.study, thing["name"]))
            for thing in study_of(wildcards).analyses
        ],
        code=lambda wildcards: code_file(entries.plot(wildcards.figure)),
    output:
        svg=report(
            "results/figures/{study}/{figure}.svg",
            caption="../report/figure.rst",
            category="{study}",
            labels=lambda wildcards: {
                "figure": captions.short_title(wildcards.figure)
            },
        ),
        png="results/figures/{study}/{figure}.png",
        rows="results/figures/{study}/{figure}.csv",
        digest="results/figures/{study}/{figure}.sha256",
    log:
        "results/logs/plot_figure/{study}/{figure}.log",
    group:
        shared("draw")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=doubling(2000),
        runtime=doubling(5),
    params:
        caption=lambda wildcards: captions.caption(wildcards.figure),
    message:
        "plot {wildcards.study}: {wildcards.figure}"
    shell:
        "python -m sidestep plot {wildcards.figure} --study {input.study}"
        " --code {input.code} > {log} 2>&1"
