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
