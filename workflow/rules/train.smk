# The studies whose jobs make one run each.
if CONFIG.one_by_one:

    rule train_network:
        """Train one run; a killed job goes on from its checkpoint."""
        input:
            unpack(
                lambda wildcards: asked_of(
                    wildcards, (wildcards.dataset,), (wildcards.seed,)
                )
            ),
            data=ancient("results/data/{dataset}.safetensors"),
            digest="results/data/{dataset}.digest.json",
        output:
            f"results/runs/{RUN}/summary.json",
        log:
            f"results/logs/train_network/{RUN}.log",
        wildcard_constraints:
            study="|".join(CONFIG.one_by_one),
        group:
            shared("train")
        conda:
            "../../environment.yml"
        threads: lambda wildcards: variant_of(wildcards).run["threads"]
        resources:
            mem_mb=doubling(3000),
            runtime=doubling(15),
            gpu=lambda wildcards: gpus(variant_of(wildcards).run),
        message:
            "train {wildcards.study}/{wildcards.dataset}/{wildcards.variant}, seed {wildcards.seed}"
        shell:
            "python -m sidestep train --run @{input.run} --seeds {wildcards.seed} --code {input.code}"
            " > {log} 2>&1"


# The others: a rule for each batch of data sets and seeds, for all studies that have it, since the outputs of a rule are
# as many as its runs. A batch of any one data set has the wildcard in its place.
for BATCH, STUDIES in CONFIG.batches.items():

    rule:
        name:
            batch_name(BATCH)
        input:
            unpack(
                lambda wildcards, batch=BATCH: asked_of(
                    wildcards,
                    [name.format(**wildcards) for name in batch.datasets],
                    batch.seeds,
                )
            ),
            data=[
                ancient(f"results/data/{dataset}.safetensors")
                for dataset in BATCH.datasets
            ],
            digest=[f"results/data/{dataset}.digest.json" for dataset in BATCH.datasets],
        output:
            [
                f"results/runs/{{study}}/{dataset}/{{variant}}/seed{seed}/summary.json"
                for dataset in BATCH.datasets
                for seed in BATCH.seeds
            ],
        log:
            f"results/logs/train_network/{{study}}/{'+'.join(BATCH.datasets)}/{{variant}}/{batch_name(BATCH)}.log",
        wildcard_constraints:
            study="|".join(STUDIES),
        group:
            shared("train")
        conda:
            "../../environment.yml"
        threads: lambda wildcards: variant_of(wildcards).run["threads"]
        resources:
            mem_mb=doubling(3000),
            runtime=doubling(15 * len(BATCH.datasets) * len(BATCH.seeds)),
            gpu=lambda wildcards: gpus(variant_of(wildcards).run),
        params:
            datasets=" ".join(BATCH.datasets),
            seeds=" ".join(map(str, BATCH.seeds)),
        message:
            f"train {{wildcards.study}}/{'+'.join(BATCH.datasets).replace(ANY, '{wildcards.dataset}')}/{{wildcards.variant}}, {batch_words(BATCH)}"
        shell:
            "python -m sidestep train --run @{input.run} --datasets {params.datasets}"
            " --seeds {params.seeds} --code {input.code} > {log} 2>&1"


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
    group:
        shared("timing")
    conda:
        "../../environment.yml"
    threads: workflow.cores
    resources:
        exclusive=1,
        mem_mb=doubling(3000),
        runtime=doubling(15),
        gpu=lambda wildcards: gpus(
            *study_of(wildcards).timed_runs(wildcards.dataset).values()
        ),
    params:
        torch_threads=CONFIG.timing_threads,
    message:
        "time the steps of {wildcards.study} on {wildcards.dataset}, alone"
    shell:
        "python -m sidestep time {wildcards.dataset} --study {input.study}"
        " --code {input.code} --threads {params.torch_threads} > {log} 2>&1"
