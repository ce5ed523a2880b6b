"""The fields and values that random detections and streams draw from, for each source.

Values are few on purpose, so that events agree often, and each has near relatives: other case, other type, a blank.
"""

BASE = 1_772_323_200_000  # 2026-03-01T00:00:00Z


class Vocabulary:
    """What a source offers. Paths are those of the raw event."""

    def __init__(self, name, **parts):
        self.name = name
        self.__dict__.update(parts)

    def fields(self):
        """Every path with its pool of values."""
        return {**self.texts, **self.addresses, **self.numbers, **self.flags}


USERS = ["k1", "k2", "K1"]
ADDRESSES = ["198.51.100.7", "198.51.100.70", "203.0.113.9", "2001:db8::1", "2001:DB8::1", "ec2.example.com", "10.1.2.3", "198.51.100.07"]
WORDS = ["v1", "V1", "v2", "v3", "v1-x", "a*b", "a%b", "a_b", "5", "05", "5.0", "q\"q", "c:\\d", "(b)", "x|y", "v1 ", "ärger", "ÄRGER", "-", "=v1", "?"]
NUMBERS = [5, 5, 6, 0, -5, 10, "5", "05", 5.0, "x"]

AWS = Vocabulary(
    "aws.cloudtrail",
    time="eventTime",
    identity="eventID",
    unique="requestID",
    second=True,
    kind="eventName",
    kinds={"a": "CreateUser", "b": "CreateAccessKey", "c": "AttachUserPolicy", "d": "DeleteTrail"},
    letters="userAgent",
    key="userIdentity.arn",
    keys={"userIdentity.arn": USERS, "recipientAccountId": ["1", "2"], "userIdentity.userName": USERS},
    texts={"requestParameters.roleName": WORDS, "userIdentity.userName": USERS + WORDS[:6], "errorCode": ["AccessDenied", "UnauthorizedOperation"], "awsRegion": ["us-east-1", "eu-west-1"]},
    addresses={"sourceIPAddress": ADDRESSES},
    numbers={"requestParameters.durationSeconds": NUMBERS, "requestParameters.maxResults": NUMBERS},
    flags={"readOnly": [True, False, "true", "no"]},
    lists={"requestParameters.instanceIds": ["k1", "k2", "K1", "i-1"], "requestParameters.names": WORDS[:6]},
    objects={"resources": {"ARN": USERS + WORDS[:4], "type": ["AWS::IAM::Role", "AWS::S3::Bucket"]}},
    instants={"userIdentity.sessionContext.attributes.creationDate"},
)
OKTA = Vocabulary(
    "okta.system",
    time="published",
    identity="uuid",
    unique="transaction.id",
    second=False,
    kind="eventType",
    kinds={"a": "user.session.start", "b": "user.mfa.factor.deactivate", "c": "user.account.privilege.grant", "d": "user.account.lock"},
    letters="client.userAgent.rawUserAgent",
    key="actor.alternateId",
    keys={"actor.alternateId": USERS, "actor.id": ["1", "2"], "actor.displayName": USERS},
    texts={"client.device": WORDS, "actor.displayName": USERS + WORDS[:6], "outcome.result": ["SUCCESS", "FAILURE"], "debugContext.debugData.factor": WORDS},
    addresses={"client.ipAddress": ADDRESSES},
    numbers={"authenticationContext.authenticationStep": NUMBERS},
    flags={"device.managed": [True, False, "true", "no"]},
    lists={},
    objects={"target": {"id": USERS + WORDS[:4], "type": ["User", "AppInstance"], "alternateId": USERS}},
    instants=set(),
)
SOURCES = {vocabulary.name: vocabulary for vocabulary in (AWS, OKTA)}

# What fields of these types hold by the outputs' assumptions.
PLAIN_NUMBERS = [*NUMBERS[:-3], 5, 6, 5.0]
PLAIN_FLAGS = [True, False, "true", "false"]
PLAIN_ADDRESSES = ["198.51.100.7", "198.51.100.70", "203.0.113.9", "2001:db8::1", "10.1.2.3"]
ENTRA_SIGNIN = Vocabulary(
    "entra.signin",
    time="time",
    identity="properties.id",
    unique="properties.originalRequestId",
    second=False,
    kind="properties.appId",
    kinds={"a": "app-a", "b": "app-b", "c": "app-c", "d": "app-d"},
    letters="properties.userAgent",
    key="properties.userPrincipalName",
    keys={"properties.userPrincipalName": USERS, "properties.userId": ["1", "2"], "properties.userDisplayName": USERS},
    texts={"properties.appDisplayName": WORDS, "properties.resourceDisplayName": USERS + WORDS[:6], "properties.sessionId": WORDS},
    addresses={"callerIpAddress": PLAIN_ADDRESSES},
    numbers={"properties.status.errorCode": PLAIN_NUMBERS, "properties.autonomousSystemNumber": PLAIN_NUMBERS},
    flags={"properties.isInteractive": PLAIN_FLAGS},
    lists={"properties.riskEventTypes": USERS + WORDS[:4]},
    objects={"properties.authenticationProcessingDetails": {"key": USERS + WORDS[:4], "value": USERS}},
    instants={"properties.createdDateTime"},
)
ENTRA_AUDIT = Vocabulary(
    "entra.audit",
    time="time",
    identity="properties.id",
    unique="properties.correlationId",
    second=False,
    kind="properties.activityDisplayName",
    kinds={"a": "act a", "b": "act b", "c": "act c", "d": "act d"},
    letters="properties.userAgent",
    key="properties.initiatedBy.user.userPrincipalName",
    keys={"properties.initiatedBy.user.userPrincipalName": USERS, "properties.initiatedBy.user.id": ["1", "2"], "properties.initiatedBy.user.displayName": USERS},
    texts={"properties.initiatedBy.app.displayName": WORDS, "properties.initiatedBy.app.servicePrincipalId": USERS + WORDS[:6], "properties.category": WORDS},
    addresses={"callerIpAddress": PLAIN_ADDRESSES},
    numbers={"Level": PLAIN_NUMBERS},
    flags={},
    lists={"properties.initiatedBy.user.roles": USERS + WORDS[:4]},
    objects={"properties.targetResources": {"id": USERS + WORDS[:4], "type": ["User", "Device"], "displayName": USERS}},
    instants=set(),
)
# Of these two the Elastic integrations keep less: parameters and targets are `flattened`, which no query can name.
AWS_INDEXED = Vocabulary(**{
    **vars(AWS), "flags": {"readOnly": PLAIN_FLAGS}, "texts": {"errorMessage": WORDS, "vpcEndpointId": USERS + WORDS[:6], "errorCode": ["AccessDenied", "UnauthorizedOperation"], "awsRegion": ["us-east-1", "eu-west-1"]},
    "keys": {"userIdentity.arn": USERS, "recipientAccountId": ["1", "2"], "userIdentity.principalId": USERS}})
OKTA_INDEXED = Vocabulary(**{
    **vars(OKTA), "numbers": {"authenticationContext.authenticationStep": PLAIN_NUMBERS}, "flags": {"device.managed": PLAIN_FLAGS}, "addresses": {"client.ipAddress": PLAIN_ADDRESSES}, "texts": {"client.device": WORDS, "actor.displayName": USERS + WORDS[:6], "outcome.result": ["SUCCESS", "FAILURE"], "displayMessage": WORDS}})
#: what random detections and streams speak of, by target, each as often as it stands here
POOLS = {"elastic": [ENTRA_SIGNIN, ENTRA_SIGNIN, ENTRA_AUDIT, OKTA_INDEXED, AWS_INDEXED]}
SHIPPED_POOL = [AWS, AWS, OKTA]
SOURCES = {vocabulary.name: vocabulary for vocabulary in (AWS, OKTA, ENTRA_SIGNIN, ENTRA_AUDIT)}
