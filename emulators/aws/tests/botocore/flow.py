"""Uses a front at 127.0.0.1:PORT (the first argument) with the keys of the environment, as botocore and the AWS command
line do, and ends with another status than 0 at the first answer that AWS would not give."""

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

PORT = int(sys.argv[1])
URL = f"http://127.0.0.1:{PORT}"
# Every name leads to the front, AWS's own too: nothing here reaches anything else.
RESOLVE = socket.getaddrinfo
socket.getaddrinfo = lambda host, port, *rest, **more: RESOLVE("127.0.0.1", port, *rest, **more)
ONCE = {"total_max_attempts": 1, "mode": "standard"}


def client(service, keys=None, url=URL, **config):
    keys = keys or {}
    return boto3.client(
        service,
        endpoint_url=url,
        config=Config(retries=ONCE, **config),
        aws_access_key_id=keys.get("AccessKeyId"),
        aws_secret_access_key=keys.get("SecretAccessKey"),
        aws_session_token=keys.get("SessionToken"),
    )


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        got = error.response["Error"]["Code"]
        assert got == code, f"{call.__name__}: {got} instead of {code}: {error}"
        return
    raise AssertionError(f"{call.__name__} was to be refused with {code}")


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def iam_and_sts():
    iam, sts = client("iam"), client("sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"
    assert iam.get_user()["User"]["Arn"] == "arn:aws:iam::123456789012:root"
    iam.create_user(UserName="alice", Tags=[{"Key": "team", "Value": "red"}])
    keys = iam.create_access_key(UserName="alice")["AccessKey"]
    iam.tag_user(UserName="alice", Tags=[{"Key": "cost", "Value": "1"}])
    tags = iam.list_user_tags(UserName="alice")["Tags"]
    assert {tag["Key"] for tag in tags} == {"team", "cost"}, tags
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="alice")
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    entities = iam.list_entities_for_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert [group["GroupName"] for group in entities["PolicyGroups"]] == ["readers"], entities
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:user/alice"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    )
    iam.create_role(RoleName="pod", AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)
    assert iam.get_role(RoleName="pod")["Role"]["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    every = document({"Effect": "Allow", "Action": ["s3:*", "ec2:Describe*", "es:List*"], "Resource": "*"})
    policy = iam.create_policy(PolicyName="every", PolicyDocument=every)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="pod", PolicyArn=policy)
    for page in iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 7}):
        assert len(page["Policies"]) <= 7
    details = iam.get_account_authorization_details(Filter=["Role"])
    assert details["RoleDetailList"][0]["AttachedManagedPolicies"][0]["PolicyArn"] == policy
    refused("NoSuchEntity", iam.get_role, RoleName="absent")
    refused("MalformedPolicyDocument", iam.put_role_policy, RoleName="pod", PolicyName="p", PolicyDocument="{")

    sts = client("sts", keys)
    arn = "arn:aws:iam::123456789012:role/pod"
    session = sts.assume_role(
        RoleArn=arn,
        RoleSessionName="app",
        DurationSeconds=7200,
        Tags=[{"Key": "team", "Value": "red"}],
        TransitiveTagKeys=["team"],
    )
    assert session["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/pod/app"
    refused("ValidationError", sts.assume_role, RoleArn=arn, RoleSessionName="app", DurationSeconds=43200)
    refused("AccessDenied", sts.assume_role, RoleArn=arn + "s", RoleSessionName="app")
    refused("AccessDenied", client("iam", keys).list_users)
    refused("InvalidClientTokenId", client("sts", {**keys, "AccessKeyId": "AKIAUNKNOWN"}).get_caller_identity)
    refused("SignatureDoesNotMatch", client("sts", {**keys, "SecretAccessKey": "other"}).get_caller_identity)
    refused(
        "InvalidIdentityToken",
        sts.assume_role_with_web_identity,
        RoleArn=arn,
        RoleSessionName="app",
        WebIdentityToken="e30.e30.e30",
    )
    return keys, session["Credentials"]


def s3(alice, pod, url, style):
    s3 = client("s3", pod, url, signature_version="s3v4", s3={"addressing_style": style})
    bucket = f"reports-{style}"
    s3.create_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    odd = ["plain", "a b+c&d=e", "q?x#y%20", "übung/ключ/日本", "dir//double/./dot/../up", "tilde~(paren)'quote\"<>", " lead", "end/"]
    for key in odd:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
        link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)
        if style == "path":
            assert urllib.request.urlopen(link).read() == key.encode(), key
            try:
                urllib.request.urlopen(link.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))
                raise AssertionError("a changed link was good")
            except urllib.error.HTTPError as error:
                assert error.code == 403, error
    listed = [item["Key"] for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 3}) for item in page["Contents"]]
    assert listed == sorted(odd, key=lambda key: key.encode()), listed
    first = [item["Key"] for page in s3.get_paginator("list_objects").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 3}) for item in page["Contents"]]
    assert first == listed, first
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b+c&d=e"})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"a b+c&d=e"

    # In parts, each with a checksum behind its body, and back by ranges.
    transfer = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=2)
    big = os.urandom((11 << 20) + 5)
    s3.upload_fileobj(io.BytesIO(big), bucket, "big", Config=transfer)
    out = io.BytesIO()
    s3.download_fileobj(bucket, "big", out, Config=transfer)
    assert out.getvalue() == big
    head = s3.head_object(Bucket=bucket, Key="big")
    assert head["ETag"].endswith('-3"'), head["ETag"]
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "bigger", Config=transfer)
    assert s3.head_object(Bucket=bucket, Key="bigger")["ContentLength"] == len(big)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="never")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="never", UploadId=upload, PartNumber=1, Body=b"x")
    assert s3.list_parts(Bucket=bucket, Key="never", UploadId=upload)["Parts"][0]["Size"] == 1
    assert s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["UploadId"] == upload
    s3.abort_multipart_upload(Bucket=bucket, Key="never", UploadId=upload)
    refused("NoSuchUpload", s3.list_parts, Bucket=bucket, Key="never", UploadId=upload)

    for algorithm in ["CRC32", "SHA256"]:
        put = s3.put_object(Bucket=bucket, Key="sum", Body=b"x", ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
        assert got["Body"].read() == b"x" and got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    s3.put_object_tagging(Bucket=bucket, Key="sum", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="sum")["TagSet"] == [{"Key": "a", "Value": "b"}]
    policy = document({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/sum"})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    refused("AccessDenied", s3.get_object, Bucket=bucket, Key="sum")
    s3.delete_bucket_policy(Bucket=bucket)
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="absent")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    reader = client("s3", alice, url, s3={"addressing_style": style})
    refused("AccessDenied", reader.put_object, Bucket=bucket, Key="no", Body=b"")
    all_keys = [{"Key": item["Key"]} for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    refused_keys = reader.delete_objects(Bucket=bucket, Delete={"Objects": all_keys})["Errors"]
    assert {error["Code"] for error in refused_keys} == {"AccessDenied"}, refused_keys
    assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": all_keys})
    s3.delete_bucket(Bucket=bucket)
    refused("NoSuchBucket", s3.list_objects_v2, Bucket=bucket)


def others(alice, pod):
    assert client("ec2", pod).describe_instances()["Reservations"] == []
    assert client("ec2", pod).describe_regions()["Regions"]
    refused("UnauthorizedOperation", client("ec2", alice).describe_instances)
    assert client("es", pod).list_domain_names()["DomainNames"] == []
    assert client("opensearch", pod).list_domain_names()["DomainNames"] == []
    refused("AccessDeniedException", client("es", alice).list_domain_names)
    refused("InvalidAction", client("ec2", pod).describe_volumes)


def command_line(pod):
    aws = os.path.join(os.path.dirname(sys.executable), "aws")
    if not os.path.exists(aws):
        print("no aws beside this Python: the command line was left out")
        return
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": pod["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": pod["SecretAccessKey"],
        "AWS_SESSION_TOKEN": pod["SessionToken"],
    }

    def run(*words, fails=None):
        done = subprocess.run([aws, "--endpoint-url", URL, *words], env=environment, capture_output=True, text=True)
        if fails is None:
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        else:
            assert done.returncode != 0 and fails in done.stderr, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    with tempfile.TemporaryDirectory() as folder:
        big = os.path.join(folder, "big")
        with open(big, "wb") as file:
            file.write(os.urandom(9 << 20))
        os.mkdir(os.path.join(folder, "tree"))
        for name in ["one", "two words"]:
            with open(os.path.join(folder, "tree", name), "w") as file:
                file.write(name)
        run("s3", "mb", "s3://cli")
        run("s3", "cp", big, "s3://cli/big")
        run("s3", "cp", "s3://cli/big", os.path.join(folder, "back"))
        with open(big, "rb") as sent, open(os.path.join(folder, "back"), "rb") as got:
            assert sent.read() == got.read()
        run("s3", "cp", "s3://cli/big", "s3://cli/copy")
        run("s3", "sync", os.path.join(folder, "tree"), "s3://cli/tree")
        assert "two words" in run("s3", "ls", "s3://cli/tree/")
        assert "cli" in run("s3", "ls")
        run("s3", "mv", "s3://cli/tree/one", "s3://cli/tree/three")
        run("s3", "rm", "s3://cli/tree", "--recursive")
        run("s3api", "get-bucket-acl", "--bucket", "cli")
        run("s3api", "get-bucket-tagging", "--bucket", "cli", fails="NoSuchTagSet")
        run("s3", "rb", "--force", "s3://cli")
    run("sts", "get-caller-identity")
    run("ec2", "describe-iam-instance-profile-associations")
    run("iam", "list-users", fails="AccessDenied")


alice, pod = iam_and_sts()
s3(alice, pod, URL, "path")
s3(alice, pod, f"http://localhost:{PORT}", "virtual")
s3(alice, pod, f"http://s3.us-east-1.amazonaws.com:{PORT}", "virtual")
others(alice, pod)
command_line(pod)
print("done")
