rule train_network:
    """Train one run; a killed job goes on from its checkpoint."""
    input:
        data=ancient("results/data/{dataset}.safetensors"),
        digest="results/data/{dataset}.digest.json",
        code=lambda wildcards: run_of(wildcards).code,
        teacher=lambda wildcards: run_of(wildcards).teacher,
    output:
        f"results/runs/{RUN}/summary.json",
    log:
        f"results/logs/train_network/{RUN}.log",
    conda:
        "../../environment.yml"
    threads: lambda wildcards: run_of(wildcards).threads
    params:
        run=lambda wildcards: run_of(wildcards).json,
        fingerprint=lambda wildcards: run_of(wildcards).fingerprint,
    message:
        "train {wildcards.study}/{wildcards.dataset}/{wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python -m sidestep train --run {params.run:q} --fingerprint {params.fingerprint}"
        " > {log} 2>&1"


rule time_training:
    """Time a study's steps in a job that runs alone: it asks for every core."""
    input:
        study=study_file,
        data=ancient("results/data/{dataset}.safetensors"),
        digest="results/data/{dataset}.digest.json",
        code=lambda wildcards: code_file(timing_entries(wildcards)),
    output:
        "results/timing/{study}/{dataset}.json",
    log:
        "results/logs/time_training/{study}/{dataset}.log",
    conda:
        "../../environment.yml"
    threads: workflow.cores
    resources:
        exclusive=1,
    params:
        fingerprint=lambda wildcards: fingerprint.of(timing_entries(wildcards)),
        torch_threads=CONFIG.timing_threads,
    message:
        "time the steps of {wildcards.study} on {wildcards.dataset}, alone"
    shell:
        "python -m sidestep time {wildcards.dataset} --study {input.study}"
        " --fingerprint {params.fingerprint} --threads {params.torch_threads} > {log} 2>&1"
