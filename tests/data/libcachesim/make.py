#!/usr/bin/env python3
"""Makes the reference numbers in this folder with libCacheSim, to which tests/it/eviction compares our policies.

How to run it (Python 3.11; libCacheSim is no dependency of the project):

    python3 -m venv /tmp/libcachesim
    /tmp/libcachesim/bin/pip install libcachesim==0.3.5 numpy==2.4.6
    /tmp/libcachesim/bin/python tests/data/libcachesim/make.py

It writes `ratios.csv`, hits of every policy over the first 250,000 and over all 1,000,000 requests, and `sequences.csv`, of the
policies that must agree request by request: the FNV-1a digest of all hits and misses, one byte each, and the first 4,096 as
hexadecimal digits, first request in the highest bit.

The trace: request i (from 0) draws SplitMix64's output i for the seed SEED, keeps its upper 53 bits as a number in [0, 1) and looks
that up in the cumulative weights of 1/k^s, k from 1 to 100,000, added in that order and divided by their sum; the key is k - 1.
Every object has size 1, but in the rows of `sequences.csv` that say so an object's size is 1 + (7919 k mod 1000), and the room is that
percentage of 100,000 objects of size 500.
"""

import math
import os
import struct
import sys
import tempfile

import libcachesim
import numpy

SEED = 42
KEYS = 100_000
REQUESTS = 1_000_000
QUICK = 250_000
EXPONENTS = [0.7, 0.9, 1.0, 1.2]
PERCENT = [1, 5, 10, 20]
POLICIES = {
    "lru": libcachesim.LRU,
    "lfu": libcachesim.LFU,
    "fifo": libcachesim.FIFO,
    "clock": libcachesim.Clock,
    "random": libcachesim.Random,
    "sieve": libcachesim.Sieve,
    "s3-fifo": libcachesim.S3FIFO,
    "arc": libcachesim.ARC,
    "w-tinylfu": libcachesim.WTinyLFU,
}
EXACT = ["lru", "lfu", "fifo", "clock", "sieve", "s3-fifo", "arc"]
# Without ARC, whose paper knows no sizes.
EXACT_OF_MANY_SIZES = EXACT[:-1]
SHOWN = 4_096
HERE = os.path.dirname(os.path.abspath(__file__))


def draws():
    """SplitMix64, outputs 0 to REQUESTS - 1, as numbers in [0, 1)."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(SEED) + numpy.arange(1, REQUESTS + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(11)).astype(numpy.float64) / 2.0**53


def trace(exponent):
    """The keys of all requests."""
    total, sums = 0.0, []
    for k in range(1, KEYS + 1):
        total += math.pow(k, -exponent)
        sums.append(total)
    table = numpy.array(sums) / total
    return numpy.searchsorted(table, draws(), side="right")


def digest(data):
    """FNV-1a in 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def reader(keys):
    """libCacheSim's reader of a file in its oracleGeneral format."""
    records = numpy.zeros(len(keys), dtype=[("time", "<u4"), ("key", "<u8"), ("size", "<u4"), ("next", "<i8")])
    # Keys begin at 1 there, since an object of key 0 is no object to some of its tables.
    records["key"] = keys + 1
    records["size"] = 1
    records["next"] = -2
    file = tempfile.NamedTemporaryFile(suffix=".oracleGeneral.bin", delete=False)
    records.tofile(file)
    file.close()
    return libcachesim.TraceReader(file.name, libcachesim.TraceType.ORACLE_GENERAL_TRACE), file.name


def ratios():
    rows = ["exponent,percent,policy,trace_digest,hits_250000,hits_1000000"]
    for exponent in EXPONENTS:
        keys = trace(exponent)
        mark = digest(b"".join(struct.pack("<I", key) for key in keys[:QUICK]))
        source, path = reader(keys)
        for percent in PERCENT:
            for name, policy in POLICIES.items():
                hits = []
                for count in [QUICK, REQUESTS]:
                    source.reset()
                    cache = policy(cache_size=KEYS * percent // 100)
                    missed, _ = cache.process_trace(source, 0, count)
                    hits.append(round((1.0 - missed) * count))
                rows.append(f"{exponent},{percent},{name},{mark:016x},{hits[0]},{hits[1]}")
                print(rows[-1], file=sys.stderr)
        os.remove(path)
    return rows


def sequences(runs):
    rows = ["exponent,percent,policy,sizes,requests,digest,first_4096"]
    keys = trace(0.9)
    request = libcachesim.Request()
    for percent, name, sizes, count in runs:
        cache = POLICIES[name](cache_size=(500 if sizes == "many" else 1) * KEYS * percent // 100)
        hits = bytearray()
        for key in keys[:count]:
            request.obj_id = int(key) + 1
            request.obj_size = 1 + 7919 * request.obj_id % 1000 if sizes == "many" else 1
            hits.append(1 if cache.get(request) else 0)
        bits = int("".join(str(hit) for hit in hits[:SHOWN]), 2)
        rows.append(f"0.9,{percent},{name},{sizes},{count},{digest(hits):016x},{bits:0{SHOWN // 4}x}")
    return rows


def write(name, rows):
    with open(os.path.join(HERE, name), "w") as file:
        file.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    runs = [(percent, name, "one", QUICK) for percent in [1, 10] for name in EXACT]
    runs += [(1, name, "many", QUICK // 5) for name in EXACT_OF_MANY_SIZES]
    write("sequences.csv", sequences(runs))
    write("ratios.csv", ratios())
