"""Writes detections to measure with: the same bytes for the same arguments, on every machine.

    python3 generate.py behaviors COUNT FOLDER     filters, counts, distinct counts and sequences for detc
    python3 generate.py filters COUNT FOLDER       the same filter rules twice: FOLDER/detc and FOLDER/sigma

The second kind is as large and as plain as the cloud rules of a public rule collection: a selection of one to
four values, at times a text condition and an exclusion.
"""

import json
import sys
import uuid
from pathlib import Path

NAMESPACE = uuid.UUID("4b1d6ce0-52e7-4d0f-9f63-6a2b9d7c1e35")


class Source:
    """One log source: its fields by role, and values that it really sends."""

    def __init__(self, name, logsource, action, actor, address, agent, result, failures, actions):
        self.name, self.logsource, self.action, self.actor = name, logsource, action, actor
        self.address, self.agent, self.result, self.failures, self.actions = address, agent, result, failures, actions


SOURCES = [
    Source("aws.cloudtrail", ("aws", "cloudtrail"), "eventName", "userIdentity.arn", "sourceIPAddress", "userAgent", "errorCode",
           ["AccessDenied", "Client.UnauthorizedOperation"],
           ["AssumeRole", "AttachUserPolicy", "ConsoleLogin", "CreateAccessKey", "CreateUser", "DeleteTrail", "GetCallerIdentity",
            "GetSecretValue", "ListUsers", "PutRolePolicy", "RunInstances", "SendCommand", "StopLogging", "UpdateLoginProfile"]),
    Source("okta.system", ("okta", "okta"), "eventType", "actor.alternateId", "client.ipAddress", "client.userAgent.rawUserAgent",
           "outcome.result", ["FAILURE", "DENY"],
           ["user.session.start", "user.mfa.factor.deactivate", "user.mfa.factor.activate", "user.authentication.sso",
            "user.account.reset_password", "user.account.privilege.grant", "policy.rule.update", "application.lifecycle.update",
            "group.user_membership.add", "system.api_token.create"]),
]
AGENTS = ["aws-cli", "Boto3", "python-requests", "curl", "TruffleHog"]
LEVELS = ["low", "medium", "high"]


def pick(items, number, count):
    """`count` neighbouring items, another run of them for every number."""
    return [items[(number + offset) % len(items)] for offset in range(count)]


def quoted(values):
    return ", ".join(json.dumps(value) for value in values)


def header(name, number, title):
    return f"""detection: {name}
id: {uuid.uuid5(NAMESPACE, name)}
title: {json.dumps(title)}
status: test
severity: {LEVELS[number % len(LEVELS)]}
description: Written by a generator to measure the compiler with.
"""


def signal(name, source, condition):
    return f"  {name}:\n    source: {source.name}\n    where: |\n      {condition}\n"


def behavior(number):
    """The name and the text of one behavioural detection."""
    source = SOURCES[number // 4 % len(SOURCES)]
    name = f"generated_{number:05}"
    chosen = f"{source.action} in [{quoted(pick(source.actions, number, 3))}]"
    agent = f"not ({source.agent} contains {json.dumps(AGENTS[number % len(AGENTS)])})"
    window = f"{5 + number % 11 * 5}m"
    signals = signal("opening", source, f"{chosen} and {agent}")
    match number % 4:
        case 0:
            text = ""
        case 1:
            text = f"behavior: count(opening) >= {3 + number % 40} by {source.actor} within {window}\n"
        case 2:
            text = f"behavior: distinct(opening.{source.address}) >= {2 + number % 8} by {source.actor} within {window}\n"
        case _:
            other = pick(source.actions, number + 5, 2)
            signals += signal("closing", source, f"{source.action} in [{quoted(other)}]")
            text = f"behavior: opening -> closing by {source.actor} within {window}\n"
    return name, header(name, number, f"Generated behavior {number}") + "signals:\n" + signals + text


def filter_rule(number):
    """One filter rule: its name, its text for detc, its text for Sigma."""
    source = SOURCES[number % len(SOURCES)]
    name = f"generated_filter_{number:03}"
    title = f"Generated filter {number}"
    actions = pick(source.actions, number, 1 + number % 4)
    condition = f"{source.action} in [{quoted(actions)}]"
    selection = [f"    {source.action}: [{quoted(actions)}]"]
    exclusion = []
    if number % 3 == 1:
        agents = pick(AGENTS, number, 2)
        condition += f" and {source.agent} contains [{quoted(agents)}]"
        selection.append(f"    {source.agent}|contains: [{quoted(agents)}]")
    if number % 3 == 2:
        condition += f" and {source.result} in [{quoted(source.failures)}]"
        selection.append(f"    {source.result}: [{quoted(source.failures)}]")
    if number % 5 == 0:
        condition += f" and not ({source.actor} starts_with {json.dumps(f'automation-{number}')})"
        exclusion = ["  filter_main_automation:", f"    {source.actor}|startswith: {json.dumps(f'automation-{number}')}"]
    product, service = source.logsource
    sigma = [
        f"title: {json.dumps(title)}", f"id: {uuid.uuid5(NAMESPACE, 'sigma ' + name)}", "status: test",
        "description: Written by a generator to measure the compiler with.", f"level: {LEVELS[number % len(LEVELS)]}",
        "logsource:", f"  product: {product}", f"  service: {service}", "detection:", "  selection:", *selection, *exclusion,
        f"  condition: selection{' and not 1 of filter_main_*' if exclusion else ''}", "",
    ]
    detc = header(name, number, title) + "signals:\n" + signal("chosen", source, condition)
    return name, detc, "\n".join(sigma)


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def main(arguments):
    kind, count, folder = arguments[0], int(arguments[1]), Path(arguments[2])
    for number in range(count):
        if kind == "behaviors":
            write(folder, *behavior(number))
        elif kind == "filters":
            name, detc, sigma = filter_rule(number)
            write(folder / "detc", name, detc)
            write(folder / "sigma", name, sigma)
        else:
            sys.exit(f"no kind `{kind}`")


if __name__ == "__main__":
    main(sys.argv[1:])
