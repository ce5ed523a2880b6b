"""Writes CloudTrail events to measure with: the same bytes for the same arguments, on every machine.

    python3 cloudtrail.py EVENTS [jsonl|records] > FILE

One day holds a million events, so a longer log is a longer time and not a denser one. The mix follows what trails hold:
most calls read or come from services and workloads, some fail, few change anything, and now and then somebody does what
the shipped detections look for. Delivery is out of order by up to five minutes. Every name and address is made up.
"""

import hashlib
import json
import random
import sys
from datetime import datetime, timezone

PER_DAY = 1_000_000
START = int(datetime(2026, 1, 5, tzinfo=timezone.utc).timestamp())
ACCOUNT = "111122223333"

# Weight, service, name, whether it reads, request, response.
WORKLOAD = [
    (140, "kms", "Decrypt", True, {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {"aws:s3:arn": "arn:aws:s3:::data-lake"}}, None),
    (60, "kms", "GenerateDataKey", True, {"keySpec": "AES_256", "keyId": "arn:aws:kms:eu-west-1:111122223333:key/0f1e2d3c"}, None),
    (120, "sts", "AssumeRole", True, {"roleArn": "arn:aws:iam::111122223333:role/app-7", "roleSessionName": "app", "durationSeconds": 3600}, {"credentials": {"accessKeyId": "ASIAEXAMPLE", "expiration": "Jan 5, 2026, 1:00:00 AM"}, "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/app-7/app"}}),
    (110, "s3", "GetObject", True, {"bucketName": "data-lake", "Host": "data-lake.s3.eu-west-1.amazonaws.com", "key": "events/2026/01/05/part-000"}, None),
    (70, "s3", "PutObject", False, {"bucketName": "data-lake", "Host": "data-lake.s3.eu-west-1.amazonaws.com", "key": "events/2026/01/05/part-001"}, {"x-amz-server-side-encryption": "aws:kms"}),
    (50, "s3", "ListObjects", True, {"bucketName": "data-lake", "prefix": "events/"}, None),
    (40, "logs", "CreateLogStream", False, {"logGroupName": "/aws/lambda/ingest", "logStreamName": "2026/01/05/[$LATEST]"}, None),
    (40, "monitoring", "DescribeAlarms", True, {"maxRecords": 100}, None),
    (35, "ec2", "DescribeInstances", True, {"instancesSet": {}, "filterSet": {"items": [{"name": "tag:team", "valueSet": {"items": [{"value": "data"}]}}]}}, None),
    (25, "ec2", "DescribeNetworkInterfaces", True, {"networkInterfaceIdSet": {}, "filterSet": {}}, None),
    (25, "autoscaling", "DescribeAutoScalingGroups", True, {"maxRecords": 100}, None),
    (20, "dynamodb", "DescribeTable", True, {"tableName": "sessions"}, None),
    (20, "ecr", "BatchGetImage", True, {"repositoryName": "app", "imageIds": [{"imageTag": "latest"}]}, None),
    (20, "ssm", "UpdateInstanceInformation", False, {"instanceId": "i-0abc", "agentVersion": "3.3", "agentStatus": "Active"}, None),
    (15, "secretsmanager", "GetSecretValue", True, {"secretId": "prod/database"}, None),
    (15, "ssm", "GetParameters", True, {"names": ["/app/one", "/app/two"], "withDecryption": True}, None),
]
PERSON = [
    (30, "ec2", "DescribeInstances", True, {"instancesSet": {}}, None),
    (20, "iam", "ListRoles", True, {"maxItems": 100}, None),
    (15, "iam", "GetRole", True, {"roleName": "app-7"}, None),
    (15, "sts", "GetCallerIdentity", True, None, None),
    (12, "cloudwatch", "GetMetricData", True, None, None),
    (10, "lambda", "ListFunctions20150331", True, {"maxItems": 50}, None),
    (6, "ec2", "RunInstances", False, {"instanceType": "t3.large", "minCount": 1, "maxCount": 1}, {"instancesSet": {"items": [{"instanceId": "i-0def"}]}}),
    (4, "ec2", "AuthorizeSecurityGroupIngress", False, {"groupId": "sg-1"}, {"_return": True}),
    (4, "lambda", "UpdateFunctionCode20150331v2", False, {"functionName": "ingest"}, None),
    (3, "iam", "PutRolePolicy", False, {"roleName": "app-7", "policyName": "inline"}, None),
    (2, "iam", "CreateAccessKey", False, {"userName": "person-1"}, {"accessKey": {"userName": "person-1", "status": "Active"}}),
    (1, "iam", "CreateUser", False, {"userName": "new-person"}, {"user": {"userName": "new-person"}}),
    (2, "ssm", "SendCommand", False, {"documentName": "AWS-RunShellScript", "instanceIds": ["i-0abc"]}, None),
    (2, "ssm", "StartSession", False, {"target": "i-0abc"}, None),
]
# What an intruder does within minutes: names of calls, in order.
EPISODES = [
    [("iam", "CreateUser"), ("iam", "AttachUserPolicy"), ("iam", "CreateAccessKey"), ("iam", "CreateLoginProfile")],
    [("sts", "GetFederationToken"), ("iam", "ListUsers"), ("cloudtrail", "StopLogging")],
    [("secretsmanager", "ListSecrets")] + [("secretsmanager", "GetSecretValue")] * 25,
    [("ec2", "DescribeInstanceAttribute")] * 30,
    [("iam", "ListUsers"), ("iam", "ListRoles"), ("s3", "ListBuckets"), ("ec2", "DescribeInstances"), ("lambda", "ListFunctions20150331"),
     ("rds", "DescribeDBInstances"), ("kms", "ListKeys"), ("ssm", "DescribeInstanceInformation"), ("iam", "ListPolicies"),
     ("organizations", "ListAccounts"), ("eks", "ListClusters"), ("ecs", "ListClusters"), ("sns", "ListTopics"), ("sqs", "ListQueues")],
    [("ec2", "StopInstances"), ("ec2", "ModifyInstanceAttribute"), ("ec2", "StartInstances")],
]
SDK = "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/%s#1.42.1"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
AGENTS = [BROWSER, BROWSER, "aws-cli/2.17.9 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.9", "Boto3/1.34.145 md/Botocore#1.34.145 ua/2.0 os/linux", "APN/1.0 HashiCorp/1.0 Terraform/1.9.2 (+https://www.terraform.io)"]
REGIONS = ["eu-west-1"] * 6 + ["us-east-1"] * 3 + ["eu-central-1"]


def role(name, session, key):
    return {
        "type": "AssumedRole", "principalId": f"AROA{name.upper()}:{session}", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT, "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": f"AROA{name.upper()}", "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "accountId": ACCOUNT, "userName": name},
            "webIdFederationData": {}, "attributes": {"creationDate": "2026-01-05T00:00:00Z", "mfaAuthenticated": "false"}},
    }


def identities(chance):
    """Who calls: workloads, services, people; each with an address and a user agent."""
    workloads = []
    for number in range(400):
        identity = role(f"app-{number % 60}", f"i-{number:017x}", f"ASIAWORK{number:08d}")
        workloads.append((json.dumps(identity), f"10.{number % 8}.{number // 8}.{number % 250 + 1}", SDK))
    services = [(json.dumps({"type": "AWSService", "invokedBy": f"{name}.amazonaws.com"}), f"{name}.amazonaws.com", f"{name}.amazonaws.com")
                for name in ["ec2", "lambda", "ecs-tasks", "cloudtrail", "autoscaling"]]
    people = []
    for number in range(150):
        address = f"198.51.100.{number % 250 + 1}" if number % 3 else f"203.0.113.{number % 250 + 1}"
        if number % 4:
            identity = role("developer", f"person-{number}@example.com", f"ASIAPERS{number:08d}")
        else:
            identity = {"type": "IAMUser", "principalId": f"AIDA{number:08d}", "arn": f"arn:aws:iam::{ACCOUNT}:user/person-{number}", "accountId": ACCOUNT,
                        "accessKeyId": f"AKIAPERS{number:08d}", "userName": f"person-{number}"}
        people.append((json.dumps(identity), address, chance.choice(AGENTS)))
    return workloads, services, people


def main():
    total = int(sys.argv[1])
    form = sys.argv[2] if len(sys.argv) > 2 else "jsonl"
    chance = random.Random(f"cloudtrail {PER_DAY}")
    workloads, services, people = identities(chance)
    weights = {}
    for name, calls in [("workload", WORKLOAD), ("person", PERSON)]:
        weights[name] = [call for call in calls for _ in range(call[0])]
    bodies = {}
    for call in WORKLOAD + PERSON:
        bodies[id(call)] = json.dumps(call[4]), json.dumps(call[5])
    out = sys.stdout
    separator = "\n" if form == "jsonl" else ","
    if form == "records":
        out.write('{"Records":[')
    episode = []
    for number in range(total):
        second = START + number * 86_400 // PER_DAY - int(chance.random() ** 4 * 300)
        time = datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        draw = chance.random()
        error = ""
        if episode or draw < 0.000_05:
            if not episode:
                episode = list(chance.choice(EPISODES))
                intruder = people[chance.randrange(len(people))][0], f"192.0.2.{chance.randrange(1, 250)}", "python-requests/2.32.3"
            service, name = episode.pop(0)
            identity, address, agent = intruder
            reads, request, response = name.startswith(("Get", "List", "Describe")), '{"userName": "backup-admin", "instanceId": "i-%017x", "attribute": "userData"}' % chance.getrandbits(60), "null"
            if chance.random() < 0.3:
                error = '"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform this call because no identity-based policy allows it", '
        else:
            if draw < 0.90:
                identity, address, agent = workloads[int(chance.random() ** 2 * len(workloads))]
                call = weights["workload"][int(chance.random() * len(weights["workload"]))]
            elif draw < 0.96:
                identity, address, agent = services[int(chance.random() * len(services))]
                call = WORKLOAD[2]
            else:
                identity, address, agent = people[int(chance.random() ** 2 * len(people))]
                call = weights["person"][int(chance.random() * len(weights["person"]))]
            service, name, reads = call[1], call[2], call[3]
            request, response = bodies[id(call)]
            if chance.random() < 0.015:
                error = '"errorCode": "AccessDenied", "errorMessage": "User is not authorized to perform this call because no identity-based policy allows it", '
        agent = agent % service if "%s" in agent else agent
        unique = hashlib.md5(b"%d" % number).hexdigest()
        unique = f"{unique[:8]}-{unique[8:12]}-{unique[12:16]}-{unique[16:20]}-{unique[20:]}"
        out.write(
            f'{{"eventVersion": "1.09", "userIdentity": {identity}, "eventTime": "{time}", "eventSource": "{service}.amazonaws.com", "eventName": "{name}", '
            f'"awsRegion": "{REGIONS[number % 10]}", "sourceIPAddress": "{address}", "userAgent": "{agent}", {error}"requestParameters": {request}, '
            f'"responseElements": {response}, "requestID": "{unique[::-1]}", "eventID": "{unique}", "readOnly": {"true" if reads else "false"}, '
            f'"resources": [{{"accountId": "{ACCOUNT}", "type": "AWS::IAM::Role", "ARN": "arn:aws:iam::{ACCOUNT}:role/app-7"}}], "eventType": "AwsApiCall", '
            f'"managementEvent": true, "recipientAccountId": "{ACCOUNT}", "eventCategory": "Management", '
            f'"tlsDetails": {{"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "{service}.eu-west-1.amazonaws.com"}}}}')
        if number + 1 < total or form == "jsonl":
            out.write(separator)
    if form == "records":
        out.write("]}\n")


main()
