"""Takes TensorFlow Serving's message modules out of the wheels, and leaves TensorFlow itself (1.9 GB) behind: ADR 2.

Usage: python messages.py WHEELS_FOLDER TARGET
"""

import sys
from pathlib import Path
from zipfile import ZipFile

wheels, target = map(Path, sys.argv[1:])
count = 0
for wheel in sorted(wheels.glob("tensorflow*.whl")):
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(("tensorflow/", "tensorflow_serving/")) and name.endswith(("_pb2.py", "_pb2_grpc.py")):
                archive.extract(name, target)
                count += 1
if not count:
    sys.exit(f"no message modules in {wheels}")
sys.stdout.write(f"{count} message modules\n")
