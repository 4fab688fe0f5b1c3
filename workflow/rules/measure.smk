rule measure_variant:
    """Measure every seed's network of a variant, then all seeds together."""
    input:
        unpack(lambda wildcards: task_files(**wildcards)),
        data=ancient("results/data/{dataset}.safetensors"),
        digest="results/data/{dataset}.digest.json",
        runs=lambda wildcards: [
            f"results/runs/{CELL}/seed{seed}/summary.json".format(**wildcards)
            for seed in study_of(wildcards).seeds
        ],
    output:
        config=f"results/measures/{CELL}/config.json",
        metrics=f"results/measures/{CELL}/metrics.csv",
        arrays=f"results/measures/{CELL}/arrays.safetensors",
        summary=f"results/measures/{CELL}/summary.json",
    log:
        f"results/logs/measure_variant/{CELL}.log",
    group:
        shared("measure")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=doubling(4000),
        runtime=doubling(15),
    message:
        "measure {wildcards.study}/{wildcards.dataset}/{wildcards.variant}"
    shell:
        "python -m sidestep measure --task @{input.task} --code {input.code}"
        " > {log} 2>&1"


rule tabulate_study:
    """Check every result of a study and gather it in one tidy table."""
    input:
        study=study_file,
        runs=lambda wildcards: runs_of(wildcards.study),
        measures=lambda wildcards: measures_of(study_of(wildcards)),
        timing=lambda wildcards: timings_of(study_of(wildcards)),
        code=code_file(entries.tabulate()),
    output:
        table="results/tables/{study}.csv",
        digest="results/tables/{study}.sha256",
        provenance="results/tables/{study}.provenance.json",
    log:
        "results/logs/tabulate_study/{study}.log",
    group:
        shared("draw")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=doubling(2000),
        runtime=doubling(5),
    message:
        "tabulate {wildcards.study}"
    shell:
        "python -m sidestep tabulate --study {input.study} --code {input.code}"
        " > {log} 2>&1"


rule analyse_study:
    """Answer one of a study's questions, most of them from its table."""
    input:
        study=study_file,
        published=lambda wildcards: published_file(wildcards.analysis),
        others=lambda wildcards: [
            str(layout.table(wildcards.study, name))
            for name in settings.needs(wildcards.analysis)
        ],
        read=read_by_analysis,
        code=lambda wildcards: code_file(
            entries.analyse(study_of(wildcards), wildcards.analysis)
        ),
    output:
        table="results/tables/{study}_{analysis}.csv",
        digest="results/tables/{study}_{analysis}.sha256",
    log:
        "results/logs/analyse_study/{study}/{analysis}.log",
    group:
        shared("draw")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=doubling(2000),
        runtime=doubling(5),
    message:
        "analyse {wildcards.study}: {wildcards.analysis}"
    shell:
        "python -m sidestep analyse {wildcards.analysis} --study {input.study}"
        " --code {input.code} > {log} 2>&1"
