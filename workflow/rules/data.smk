rule fetch_data:
    """Fetch a data set from whichever source answers first, and check its digests."""
    output:
        arrays="results/data/{dataset}.safetensors",
        digest="results/data/{dataset}.digest.json",
        source="results/data/{dataset}.source.json",
    log:
        "results/logs/fetch_data/{dataset}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        folder=f"--folder {CONFIG.data_folder}" if CONFIG.data_folder else "",
    message:
        "fetch {wildcards.dataset}"
    shell:
        "python -m sidestep fetch {wildcards.dataset} --output {output.arrays} {params.folder}"
        " 2>&1 | tee {log}"
