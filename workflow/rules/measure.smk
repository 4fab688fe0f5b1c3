rule measure_variant:
    """Measure every seed's network of a variant, then all seeds together."""
    input:
        data=ancient("results/data/{dataset}.safetensors"),
        digest="results/data/{dataset}.digest.json",
        runs=lambda wildcards: [
            f"results/runs/{CELL}/seed{seed}/summary.json".format(**wildcards)
            for seed in study_of(wildcards).seeds
        ],
        code=lambda wildcards: task_of(wildcards).code,
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
    params:
        task=lambda wildcards: task_of(wildcards).json,
        fingerprint=lambda wildcards: task_of(wildcards).fingerprint,
    message:
        "measure {wildcards.study}/{wildcards.dataset}/{wildcards.variant}"
    shell:
        "python -m sidestep measure --task {params.task:q} --fingerprint {params.fingerprint}"
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
    params:
        fingerprint=fingerprint.of(entries.tabulate()),
    message:
        "tabulate {wildcards.study}"
    shell:
        "python -m sidestep tabulate --study {input.study} --fingerprint {params.fingerprint}"
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
    params:
        fingerprint=lambda wildcards: fingerprint.of(
            entries.analyse(study_of(wildcards), wildcards.analysis)
        ),
    message:
        "analyse {wildcards.study}: {wildcards.analysis}"
    shell:
        "python -m sidestep analyse {wildcards.analysis} --study {input.study}"
        " --fingerprint {params.fingerprint} > {log} 2>&1"
