//! One small detection for each behaviour and each of its forms, from which the fidelity table is made.
//!
//! Never says what a target makes of them: that is found out by compiling.

/// A row of the table: what people call it, and the detection that stands for it.
pub(super) struct Probe {
    /// Name of the row; a form of a behaviour stands behind a comma.
    pub(super) title: &'static str,
    /// The `signals` and `behavior` of the detection.
    pub(super) body: &'static str,
}

impl Probe {
    /// The whole detection.
    pub(super) fn text(&self) -> String {
        format!(
            "detection: probe\nid: 00000000-0000-4000-8000-000000000000\ntitle: Probe\nstatus: test\nseverity: low\ndescription: A row of the table.\n{}",
            self.body
        )
    }
}

/// Rows in the order of LANGUAGE.md.
#[rustfmt::skip]
pub(super) const PROBES: &[Probe] = &[
    Probe {
        title: "any event",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
"#,
    },
    Probe {
        title: "union",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a or b
"#,
    },
    Probe {
        title: "union, across sources",
        body: r#"signals:
  a: { source: okta.system, where: eventType == "user.session.start", let: { user: actor.alternateId } }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey", let: { user: userIdentity.userName } }
behavior: |
  a or b
"#,
    },
    Probe {
        title: "count",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  count(a) >= 20 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "count, above 100",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  count(a) >= 500 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "distinct",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  distinct(a.eventName) >= 20 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "distinct, tuples",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  distinct(a.eventName, a.awsRegion) >= 20 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "measure",
        body: r#"signals:
  a: { source: msgraph.activity, where: properties.requestMethod == "GET" }
behavior: |
  sum(a.properties.responseSizeBytes) > 1000 by properties.userId within 1h
"#,
    },
    Probe {
        title: "measure, mean",
        body: r#"signals:
  a: { source: msgraph.activity, where: properties.requestMethod == "GET" }
behavior: |
  avg(a.properties.responseSizeBytes) > 1000 by properties.userId within 1h
"#,
    },
    Probe {
        title: "measure, smallest",
        body: r#"signals:
  a: { source: msgraph.activity, where: properties.requestMethod == "GET" }
behavior: |
  min(a.properties.responseSizeBytes) > 1000 by properties.userId within 1h
"#,
    },
    Probe {
        title: "measure, largest",
        body: r#"signals:
  a: { source: msgraph.activity, where: properties.requestMethod == "GET" }
behavior: |
  max(a.properties.responseSizeBytes) > 1000 by properties.userId within 1h
"#,
    },
    Probe {
        title: "measure, median",
        body: r#"signals:
  a: { source: msgraph.activity, where: properties.requestMethod == "GET" }
behavior: |
  median(a.properties.responseSizeBytes) > 1000 by properties.userId within 1h
"#,
    },
    Probe {
        title: "measure, percentile",
        body: r#"signals:
  a: { source: msgraph.activity, where: properties.requestMethod == "GET" }
behavior: |
  percentile(a.properties.responseSizeBytes, 95) > 1000 by properties.userId within 1h
"#,
    },
    Probe {
        title: "several aggregates",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  count(a) >= 20 and distinct(a.eventName) > 5 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "several aggregates, of two signals",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  count(a) >= 20 and count(b) >= 2 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "several aggregates, with an upper bound",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  count(a) >= 20 and distinct(a.eventName) < 3 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "several aggregates, ratio",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  count(a where exists(errorCode)) / count(a) > 0.5 and count(a) >= 20 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "count with a condition",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  count(a where exists(errorCode)) >= 20 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "fixed window",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  count(a) >= 20 by userIdentity.arn within 10m fixed
"#,
    },
    Probe {
        title: "sequence",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a -> b by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "sequence, repetition",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a{3} -> b by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "sequence, overlapping signals",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  b: { source: aws.cloudtrail, where: eventName like "Create*" }
  c: { source: aws.cloudtrail, where: userAgent contains "boto" }
behavior: |
  a -> b -> c by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "sequence, until",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  a -> b by userIdentity.arn within 10m until c
"#,
    },
    Probe {
        title: "sequence, across sources",
        body: r#"signals:
  a: { source: okta.system, where: eventType == "user.session.start", let: { user: actor.alternateId } }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey", let: { user: userIdentity.userName } }
behavior: |
  a -> b by user within 10m
"#,
    },
    Probe {
        title: "sequence, `where` with `==`",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a -> b by userIdentity.arn within 10m where a.sourceIPAddress == b.sourceIPAddress
"#,
    },
    Probe {
        title: "sequence, `where` with one `!=`",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a -> b by userIdentity.arn within 10m where a.sourceIPAddress != b.sourceIPAddress
"#,
    },
    Probe {
        title: "sequence, other `where` of two steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a -> b by userIdentity.arn within 10m where a.sourceIPAddress != b.sourceIPAddress or a.userAgent != b.userAgent
"#,
    },
    Probe {
        title: "sequence, other `where` of three steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  a -> b -> c by userIdentity.arn within 10m where a.sourceIPAddress != b.sourceIPAddress or a.userAgent != c.userAgent
"#,
    },
    Probe {
        title: "absence",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  a -> no b by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, behind two steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  a -> b -> no c by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, behind three steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
  d: { source: aws.cloudtrail, where: eventName == "StopLogging" }
behavior: |
  a -> b -> c -> no d by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, before one step",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
behavior: |
  no a -> b by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, before two steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  no a -> b -> c by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, before three steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
  d: { source: aws.cloudtrail, where: eventName == "StopLogging" }
behavior: |
  no a -> b -> c -> d by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, between two steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  a -> no b -> c by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "absence, between three steps",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
  d: { source: aws.cloudtrail, where: eventName == "StopLogging" }
behavior: |
  a -> no b -> c -> d by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "group",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  a & b & c by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "k of n",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  2 of (a, b, c) by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "score",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
behavior: |
  score(a = 30, b = 40, c = 20) >= 70 by userIdentity.arn within 10m
"#,
    },
    Probe {
        title: "new",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  new(a.awsRegion) by userIdentity.arn over 1d
"#,
    },
    Probe {
        title: "new, with learning",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  new(a.awsRegion) by userIdentity.arn over 1d learning 6h
"#,
    },
    Probe {
        title: "rare",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  rare(a.awsRegion) <= 2 by userIdentity.arn over 1d
"#,
    },
    Probe {
        title: "rare, with learning",
        body: r#"signals:
  a: { source: aws.cloudtrail }
behavior: |
  rare(a.awsRegion) <= 2 by userIdentity.arn over 1d learning 6h
"#,
    },
    Probe {
        title: "outlier",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  outlier(count(a)) by userIdentity.arn per 1h over 1d above 3 sigma floor 10
"#,
    },
    Probe {
        title: "outlier, with learning",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  outlier(count(a)) by userIdentity.arn per 1h over 1d above 3 sigma floor 10 learning 6h
"#,
    },
    Probe {
        title: "spike",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  spike(count(a)) by userIdentity.arn per 1h over 1d above 5 floor 10
"#,
    },
    Probe {
        title: "travel",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
behavior: |
  travel(a.sourceIPAddress) by userIdentity.arn faster than 900 km/h within 6h
"#,
    },
    Probe {
        title: "composed signal",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  burst: { behavior: count(a) >= 20 by userIdentity.arn within 10m }
behavior: |
  count(burst) >= 3 by userIdentity.arn within 1h
"#,
    },
    Probe {
        title: "composed signal, in a chain",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  burst: { behavior: count(a) >= 20 by userIdentity.arn within 10m }
behavior: |
  burst -> b by userIdentity.arn within 1h
"#,
    },
    Probe {
        title: "composed signal, with a test of its number",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  burst: { behavior: count(a) as refused >= 20 by userIdentity.arn within 10m, where: refused > 50 }
behavior: |
  burst -> b by userIdentity.arn within 1h
"#,
    },
    Probe {
        title: "exception on alerts",
        body: r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: |
  count(a) as refused >= 20 by userIdentity.arn within 10m
exceptions:
  - { when: refused > 100, owner: probe, reason: a test, signals: [alert] }
"#,
    },
];
