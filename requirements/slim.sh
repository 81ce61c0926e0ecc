#!/bin/sh
# Takes out of a virtual environment what no running service reads: tests, type stubs, headers, debug symbols, lists of
# files and descriptions of packages, numpy's build tools and the parts for random numbers, polynomials and transforms,
# what cffi compiles with (its backend stays), Pydantic's first version, and Pillow's fonts, colour profiles and windows.
# numpy.ma stays: numpy.unique and numpy.isin import it when they are called. Usage: slim.sh /opt/venv
# Taking out too much breaks the build, because the Dockerfiles import their service afterwards, or the Compose test, which
# looks for missing modules in the logs.
set -eu
cd "$1"/lib/python3*/site-packages
find . -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.a' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' \) -delete
rm -rf numpy/f2py numpy/distutils numpy/_pyinstaller numpy/random numpy/polynomial numpy/fft numpy/testing
rm -rf fastapi_offline/static/redoc* cffi pycparser pydantic/v1 ./*.dist-info/RECORD pydantic/mypy.py packaging/licenses \
  chardet/models/*.yaml
find . -name '*.cpython-*.so' | while read -r compiled; do rm -f "${compiled%.cpython-*}.py"; done # Python loads the compiled one
[ ! -d numpy ] || : >numpy/_core/_add_newdocs.py # the texts of numpy's own help
# What only developers use: test clients, plugins, benchmarks, other event loops and web servers; of packaging, all but versions.
rm -f anyio/_backends/_trio.py anyio/pytest_plugin.py starlette/testclient.py httpx/_main.py structlog/twisted.py ijson/benchmark.py \
  chardet/evaluation.py click/testing.py click/shell_completion.py click/_winconsole.py uvicorn/protocols/http/zttp_*.py \
  uvicorn/protocols/websockets/*_impl.py motor/web.py numpy/conftest.py numpy/matlib.py numpy/lib/recfunctions.py \
  numpy/ma/testutils.py numpy/ma/mrecords.py numpy/typing/mypy_plugin.py pydantic/experimental/pipeline.py
rm -rf motor/aiohttp dns/dnssecalgs dns/dnssec.py
[ ! -d packaging ] || find packaging -name '*.py' ! -name __init__.py ! -name version.py ! -name _structures.py -delete
rm -f psutil/_psaix.py psutil/_psbsd.py psutil/_psosx.py psutil/_pssunos.py psutil/_pswindows.py
for metadata in ./*.dist-info/METADATA; do # the fields stay, which programs read; licences are files of their own
  sed -i '/^\r*$/q' "$metadata"
done
rm -f numpy/_core/_simd.*.so numpy/_core/_*_tests.*.so
rm -f PIL/_imagingft.* PIL/_imagingcms.* PIL/_imagingtk.* \
  pillow.libs/libfreetype* pillow.libs/libharfbuzz* pillow.libs/libpng16* pillow.libs/libbrotli* pillow.libs/liblcms2*
# Only what Python itself loads: the bundled libraries (*.libs) were patched after linking, and strip may break such files.
if command -v strip >/dev/null; then find . -name '*.so' -not -path './*.libs/*' -exec strip --strip-unneeded {} +; fi
