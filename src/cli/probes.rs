//! One small detection for each behaviour, from which the fidelity table is made.

/// A row of the table: what people call it, and the detection that stands for it.
pub(super) struct Probe {
    /// Name of the row.
    pub(super) title: &'static str,
    /// The `signals` and `behavior` of the detection.
    pub(super) body: &'static str,
}

/// Rows in the order of LANGUAGE.md.
pub(super) const PROBES: &[Probe] = &[
    Probe {
        title: "any event",
        body: "signals: { a: { source: aws.cloudtrail, where: eventName == \"CreateUser\" } }\n",
    },
    Probe {
        title: "count",
        body: "signals: { a: { source: aws.cloudtrail, where: exists(errorCode) } }\nbehavior: count(a) >= 20 by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "count above 100",
        body: "signals: { a: { source: aws.cloudtrail, where: exists(errorCode) } }\nbehavior: count(a) >= 500 by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "distinct",
        body: "signals: { a: { source: aws.cloudtrail } }\nbehavior: distinct(a.eventName) >= 20 by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "distinct tuples",
        body: "signals: { a: { source: aws.cloudtrail } }\nbehavior: distinct(a.eventName, a.awsRegion) >= 20 by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "sequence",
        body: "signals:\n  a: { source: aws.cloudtrail, where: eventName == \"CreateUser\" }\n  b: { source: aws.cloudtrail, where: eventName == \"CreateAccessKey\" }\nbehavior: a -> b by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "sequence with repetition",
        body: "signals:\n  a: { source: aws.cloudtrail, where: exists(errorCode) }\n  b: { source: aws.cloudtrail, where: eventName == \"CreateAccessKey\" }\nbehavior: a{3} -> b by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "sequence over overlapping signals",
        body: "signals:\n  a: { source: aws.cloudtrail, where: exists(errorCode) }\n  b: { source: aws.cloudtrail, where: eventName like \"Create*\" }\n  c: { source: aws.cloudtrail, where: userAgent contains \"boto\" }\nbehavior: a -> b -> c by userIdentity.arn within 10m\n",
    },
    Probe {
        title: "sequence across sources",
        body: "signals:\n  a: { source: okta.system, where: eventType == \"user.session.start\", let: { user: actor.alternateId } }\n  b: { source: aws.cloudtrail, where: eventName == \"CreateAccessKey\", let: { user: userIdentity.userName } }\nbehavior: a -> b by user within 10m\n",
    },
    Probe {
        title: "step `where` with `==`",
        body: "signals:\n  a: { source: aws.cloudtrail, where: eventName == \"CreateUser\" }\n  b: { source: aws.cloudtrail, where: eventName == \"CreateAccessKey\" }\nbehavior: a -> b by userIdentity.arn within 10m where a.sourceIPAddress == b.sourceIPAddress\n",
    },
    Probe {
        title: "step `where` with one `!=`",
        body: "signals:\n  a: { source: aws.cloudtrail, where: eventName == \"CreateUser\" }\n  b: { source: aws.cloudtrail, where: eventName == \"CreateAccessKey\" }\nbehavior: a -> b by userIdentity.arn within 10m where a.sourceIPAddress != b.sourceIPAddress\n",
    },
    Probe {
        title: "other step `where`, two steps",
        body: "signals:\n  a: { source: aws.cloudtrail, where: eventName == \"CreateUser\" }\n  b: { source: aws.cloudtrail, where: eventName == \"CreateAccessKey\" }\nbehavior: a -> b by userIdentity.arn within 10m where a.sourceIPAddress != b.sourceIPAddress and a.userAgent != b.userAgent\n",
    },
];

impl Probe {
    /// The whole detection.
    pub(super) fn text(&self) -> String {
        format!(
            "detection: probe\nid: 00000000-0000-4000-8000-000000000000\ntitle: Probe\nstatus: test\nseverity: low\ndescription: A row of the table.\n{}",
            self.body
        )
    }
}
