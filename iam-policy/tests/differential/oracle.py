"""Answers questions about IAM policies with the evaluator of ministack: one JSON object a line in, one word a line out.

The policies are put together as ministack's own request handling does it (`enforce` and the STS service), without its
HTTP front, its storage and its credentials.
"""

import json
import sys

from ministack.core import iam_evaluator as iam


def layer(documents):
    return [iam.parse_policy_document(document) for document in documents]


def decide(question):
    kind, arn = question["type"], question["arn"]
    context = {key.lower(): value for key, value in question["context"].items()}
    context.setdefault("aws:tagkeys", None)
    principal_keys = {}
    for key in ("aws:username", "aws:userid"):
        if key in context:
            principal_keys[key] = context.pop(key)
    ctx = iam.EvalContext(
        principal_arn=arn,
        principal_type=kind,
        principal_account=question["account"],
        action=question["action"],
        resource_arn=question["resource"],
        region="eu-west-1",
        source_ip=context.pop("aws:sourceip", None),
        service_context=context,
        principal_keys=principal_keys,
    )
    limits = [layer([question["boundary"]])] if question["boundary"] else []
    if question["session"]:
        limits.append(layer(question["session"]))
    identity = iam.evaluate(ctx, layer(question["identity"]), *limits)
    if question["trust"]:
        trusted = iam.evaluate_trust_policy(question["trust"], arn, ctx)
        return "allowed" if trusted and identity.decision == "Allow" else "denied"
    if question["bucket"]:
        identity = iam.combine_resource_policy(identity, ctx, question["bucket"], question["owner"], limits=tuple(limits))
    elif question["owner"] != question["account"]:
        return "denied"
    return "allowed" if identity.decision == "Allow" else "denied"


for line in sys.stdin:
    sys.stdout.write(decide(json.loads(line)) + "\n")
    sys.stdout.flush()
