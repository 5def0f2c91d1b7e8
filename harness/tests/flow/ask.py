"""Asks AWS with botocore: reads a call as a line of JSON, writes its answer as a line of JSON."""

import json
import sys

import botocore.session
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

SESSION = botocore.session.Session()
CLIENTS = {}


def client(call):
    keys = call["keys"]
    name = json.dumps([call["service"], call["endpoint"], keys])
    if name not in CLIENTS:
        signature = {"signature_version": UNSIGNED} if keys is None else {}
        if keys is not None and call["service"] == "s3":
            signature = {"signature_version": "s3v4"}
        CLIENTS[name] = SESSION.create_client(
            call["service"],
            endpoint_url=call["endpoint"],
            region_name=call["region"],
            # What AWS would refuse must reach it.
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, **signature),
            aws_access_key_id=keys and keys["id"],
            aws_secret_access_key=keys and keys["secret"],
            aws_session_token=keys and keys["token"],
        )
    return CLIENTS[name]


def ask(call):
    params = call["params"]
    if call["operation"] == "Presign":
        of = {"Bucket": params["Bucket"], "Key": params["Key"]}
        return {"done": {"Url": client(call).generate_presigned_url("get_object", of, params["ExpiresIn"])}}
    try:
        answer = getattr(client(call), xform_name(call["operation"]))(**params)
    except ClientError as error:
        said = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"refused": {"status": status, "code": said["Code"], "message": said.get("Message", "")}}
    if "Body" in answer:
        answer["Body"] = answer["Body"].read().decode()
    return {"done": answer}


for line in sys.stdin:
    try:
        answer = ask(json.loads(line))
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
