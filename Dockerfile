# The environment of every job as an image, for Docker and, built from it, Apptainer (docs/cluster.md); the same pins as
# `environment.yml` (a test compares the lists). The code is not in it: jobs run the checkout's own.
FROM python:3.11-slim-bookworm

COPY constraints.txt /tmp/constraints.txt
RUN pip install --no-cache-dir --disable-pip-version-check --constraint /tmp/constraints.txt \
    jsonschema==4.26.0 \
    matplotlib==3.11.2 \
    numpy==2.4.6 \
    pandas==3.0.2 \
    pillow==13.0.0 \
    pygments==2.21.0 \
    pyyaml==6.0.3 \
    safetensors==0.8.0 \
    scikit-learn==1.9.1 \
    scipy==1.17.1 \
    snakemake-executor-plugin-cluster-generic==1.0.9 \
    snakemake-executor-plugin-slurm==2.8.0 \
    snakemake==9.27.1 \
    torch==2.13.0 \
    torchvision==0.28.0 \
    typst==0.15.0

# Who runs it by a number of their own (`docker run --user`) has neither a home nor a name here, and Snakemake needs both.
ENV HOME=/tmp USER=paper

WORKDIR /paper
CMD ["snakemake", "--cores", "4"]
