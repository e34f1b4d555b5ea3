"""schemathesis over the server's own OpenAPI document: no 5xx but the declared ones, no dropped connection, no answer outside the schema.

    python Conformance/with_server.py python Conformance/fuzz.py --url {url} --minutes 10
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--url", required=True)
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--seed", type=int, default=int(os.environ.get("OCTANT_SEED", "20240607")))
    a = p.parse_args()
    print(f"OCTANT_SEED={a.seed}", flush=True)
    document = json.load(urllib.request.urlopen(a.url + "/openapi.json"))
    # What is declared to be absent answers 501, which is a server error by number only.
    absent = 0
    for path in list(document["paths"]):
        for verb in list(document["paths"][path]):
            if "501" in document["paths"][path][verb]["responses"]:
                del document["paths"][path][verb]
                absent += 1
        if not document["paths"][path]:
            del document["paths"][path]
    with tempfile.TemporaryDirectory() as folder:
        schema = os.path.join(folder, "openapi.json")
        with open(schema, "w") as f:
            json.dump(document, f)
        print(f"{sum(map(len, document['paths'].values()))} operations; {absent} that answer 501 by declaration are left out", flush=True)
        command = [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", schema, "--url", a.url, "--checks", CHECKS,
                   "--seed", str(a.seed), "--max-time", str(int(a.minutes * 60)), "--phases", "examples,coverage,fuzzing",
                   "--continue-on-failure", "--request-timeout", "60", "--suppress-health-check", "all"]
        env = {**os.environ, "SCHEMATHESIS_HOOKS": "fuzz_hooks", "OCTANT_FUZZ_URL": a.url, "OCTANT_SEED": str(a.seed), "PYTHONPATH": HERE}
        return subprocess.run(command, cwd=folder, env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
