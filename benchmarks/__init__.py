"""What this library costs, beside bare aiohttp and the official SDK: ``python -m benchmarks``.

`cases` says what is measured and `contenders` who competes. `runner` starts one `server` and a `worker`
process for each contender, and takes turns between them. `results` makes medians and tables of the samples.
"""
