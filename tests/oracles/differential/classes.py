"""Random detections over classes, and streams in which the raw events of all their sources are mixed.

What a class makes of an event is the compiler's business: here are only raw values near the conditions of the definitions.
"""

from detection import Detection, Signal, quoted
from protocol import Event
from streams import put, written

AGENTS = ["aws-cli/2.15.0", "Boto3/1.34", "boto3/1.0 PowerShell", "Mozilla/5.0 (X11)", "MOZILLA/5.0 gcloud", "Terraform/1.6 aws-sdk-go", "console.amazonaws.com", "lambda.amazonaws.com", "python-requests/2", "other", ""]
ADDRESSES = ["198.51.100.7", "203.0.113.9", "10.1.2.3"]
USERS = ["k1", "K1", "k2"]
APPS = ["04b07795-8ddb-461a-bbee-02f9e1bf7b46", "1950a258-227b-4e31-a9cf-717495945fc2", "C44B4083-3BB0-49C1-B47D-974E53CBDF3C", "another"]
OBJECT = "identity.claims.http://schemas.microsoft.com/identity/claims/objectidentifier"

#: for each source its time, whether that counts whole seconds, its identity, and the raw values that are drawn
SOURCES = {
    "aws.cloudtrail": ("eventTime", True, "eventID", {
        "eventName": ["ConsoleLogin", "ConsoleLogin", "CreateUser", "ListBuckets"], "eventType": ["AwsApiCall", "AwsApiCall", "AwsConsoleAction", "AwsConsoleSignIn"],
        "eventSource": ["iam.amazonaws.com", "s3.amazonaws.com"], "userAgent": AGENTS, "sourceIPAddress": ADDRESSES, "userIdentity.arn": USERS, "userIdentity.type": ["IAMUser", "Root", "AssumedRole"],
        "userIdentity.accessKeyId": ["AKIA1", "ASIA1", "other"], "recipientAccountId": ["1", "2"], "errorCode": [None, None, "AccessDenied"], "additionalEventData.MFAUsed": ["Yes", "No"]}),
    "azure.activity": ("time", False, "eventDataId", {
        "category": ["Administrative", "administrative", "Policy"], "resultType": ["Success", "success", "Failure", "Start"], "operationName": ["Microsoft.Compute/a/write", "createuser"],
        "callerIpAddress": ADDRESSES, "resourceId": ["/subscriptions/1/x", "/subscriptions/2/y"], "identity.claims.appid": APPS, OBJECT: USERS,
        "identity.authorization.evidence.principalType": ["User", "ServicePrincipal"]}),
    "gcp.audit": ("timestamp", False, "insertId", {
        "protoPayload.methodName": ["createuser", "storage.buckets.list"], "protoPayload.serviceName": ["iam.googleapis.com"], "protoPayload.authenticationInfo.principalEmail": [*USERS, "a@x.gserviceaccount.com"],
        "protoPayload.authenticationInfo.serviceAccountKeyName": [None, "key"], "protoPayload.requestMetadata.callerIp": ADDRESSES, "protoPayload.requestMetadata.callerSuppliedUserAgent": AGENTS,
        "protoPayload.status.code": [0, 7, 7], "resource.labels.project_id": ["1", "2"]}),
    "kubernetes.audit": ("stageTimestamp", False, "auditID", {
        "stage": ["ResponseComplete", "ResponseComplete", "RequestReceived"], "verb": ["get", "create"], "user.username": [*USERS, "system:node:a"], "userAgent": AGENTS, "sourceIPs": [ADDRESSES, ADDRESSES[:1], []],
        "responseStatus.code": [200, 403, 403], "objectRef.resource": ["pods", "secrets"]}),
    "entra.signin": ("time", False, "properties.id", {
        "category": ["SignInLogs", "NonInteractiveUserSignInLogs"], "resultType": ["0", "0", "50126"], "callerIpAddress": ADDRESSES, "properties.userAgent": AGENTS,
        "properties.userPrincipalName": USERS, "properties.userId": ["1", "2"], "properties.appId": APPS, "properties.appDisplayName": ["Okta", "app"], "properties.sessionId": ["s1", "s2"],
        "properties.authenticationRequirement": ["multiFactorAuthentication", "singleFactorAuthentication"], "properties.authenticationProtocol": ["ropc", "none"]}),
    "okta.system": ("published", False, "uuid", {
        "eventType": ["user.session.start", "user.session.start", "user.session.end"], "outcome.result": ["SUCCESS", "ALLOW", "FAILURE", "CHALLENGE"], "client.ipAddress": ADDRESSES,
        "client.userAgent.rawUserAgent": AGENTS, "actor.alternateId": USERS, "actor.id": ["1", "2"], "authenticationContext.externalSessionId": ["s1", "s2"],
        "authenticationContext.credentialType": ["PASSWORD", "OTP"]}),
}
#: what says which log an event stands in is never left out
ALWAYS = {"category"}
KINDS = ["cli", "sdk", "shell", "browser", "iac", "service", "console", "unknown"]
CLASSES = {
    "cloud.api_activity": {
        "sources": {"elastic": ["aws.cloudtrail", "azure.activity"], None: ["aws.cloudtrail", "azure.activity", "gcp.audit", "kubernetes.audit"]},
        "tests": ['cloud.provider == "AWS"', 'not cloud.provider in ["azure", "GCP"]', 'api.operation == "CreateUser"', 'credential.type in ["temporary_key", "user_token", "client_secret", "unknown"]',
                  'exists(actor.user.credential_uid)', 'coalesce(http_request.user_agent, "none") contains ["none", "a"]', 'coalesce(cloud.account.uid, "none") == "1"', 'coalesce(status_code, "none") != "AccessDenied"'],
        "keys": ["src_endpoint.ip", "lower(actor.user.uid)", "actor.user.uid", 'coalesce(actor.user.credential_uid, "none")'],
        "values": ["cloud.provider", "api.operation", "client.kind", "src_endpoint.ip", "credential.type"],
    },
    "identity.sign_in": {
        "sources": {None: ["aws.cloudtrail", "entra.signin", "okta.system"]},
        "tests": ['service.name == "okta"', 'credential.type == "password"', 'coalesce(mfa, "none") in ["used", "none"]', 'not exists(session.uid)', 'user.name == "k1"',
                  'http_request.user_agent starts_with "boto"', 'status != "Unknown"', 'is_public(src_endpoint.ip)'],
        "keys": ["src_endpoint.ip", "lower(user.name)", "user.name", "client.kind"],
        "values": ["service.name", "client.kind", "src_endpoint.ip", "status"],
    },
}


def event(rng, source, instant, number):
    """A raw event of a source, with members left out, null or empty now and then."""
    time, second, identity, members = SOURCES[source]
    document = {}
    for path, pool in members.items():
        drawn = 1 if path in ALWAYS else rng.random()
        value = rng.choice(pool)
        if drawn < 0.05:
            continue
        names = path.split(".", 2)[:2] + [path.split(".", 2)[2]] if path == OBJECT else path.split(".")
        put_at(document, names, None if drawn < 0.07 else "" if drawn < 0.09 else value)
    put(document, identity, f"i{number}")
    put(document, time, written(instant, not second))
    return Event(source, instant, document, identity)


def put_at(document, names, value):
    """Sets a member by its names, which may hold dots."""
    for name in names[:-1]:
        document = document.setdefault(name, {})
    document[names[-1]] = value


def sources_of(name, target):
    """The sources of a class that take part on a target."""
    sources = CLASSES[name]["sources"]
    return sources.get(target, sources[None])


def stream(rng, start, name, target):
    """A stream of the sources of a class."""
    sources = sources_of(name, target)
    step = rng.choice([60_000, 60_000, 1_000])
    return [event(rng, rng.choice(sources), start + step * rng.randrange(0, 8), start + number) for number in range(rng.randint(3, 16))]


def detection(rng, name, of, target):
    """A detection over a class."""
    words = CLASSES[of]

    def signal(key):
        tests = ["client.kind in [" + ", ".join(quoted(kind) for kind in rng.sample(KINDS, rng.randint(2, 5))) + "]"] if rng.random() < 0.6 else []
        if rng.random() < 0.6:
            tests.append(rng.choice(['status == "Success"', 'status == "Failure"', 'not status == "success"']))
        if rng.random() < 0.5:
            tests.append(rng.choice(words["tests"]))
        if rng.random() < 0.2:
            tests.append("(" + " or ".join(rng.sample(words["tests"], 2)) + ")")
        return Signal(of, tests, {"who": key}, sources=sources_of(of, target))

    key, value = rng.choice(words["keys"]), rng.choice(words["values"])
    window, number = rng.choice(["3m", "5m"]), rng.choice([1, 2, 2, 3])
    signals = {"a": signal(key)}
    body, relations, by, clauses = rng.choice([
        (f"count(a) >= {number}", [], ["who"], [f"within {window}"]),
        (f"distinct(a.{value}) >= {number}", [], ["who"], [f"within {window}"]),
        ("a -> b", [], ["who"], [f"within {window}"]),
        ("a -> b", [f"a.{value} != b.{value}"], ["who"], [f"within {window}"]),
        ("a -> no b", [], ["who"], [f"within {window}"]),
        ("a & b", [], ["who"], [f"within {window}"]),
        (f"new(a.{value})", [], ["who"], ["over 5m"]),
        ("a", [], [], []),
    ])
    if "b" in body.split():
        signals["b"] = signal(key)
    return Detection(name, signals, body, by, clauses, relations, rows=["any event" if body == "a" else "sequence"], family="classes")
