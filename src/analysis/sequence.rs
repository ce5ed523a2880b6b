//! Resolves ordered chains: steps, absences, and the signal that ends them.

use super::behavior::{Resolver, Role};
use super::relations;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Absence, Behavior, Sequence, Step};
use crate::source::Spanned;
use crate::syntax::behavior_ast::{self as written, Amount, Clauses};

impl Resolver<'_> {
    /// A chain; a single signal alone is an event behaviour and no chain.
    pub(super) fn sequence(&mut self, steps: &[written::Step], whole: &Spanned<written::Behavior>) -> Option<Behavior> {
        let clauses: &Clauses = &whole.node.clauses;
        let window = self.window(whole);
        let resolved = self.steps(steps);
        let until = clauses.until.as_ref().map(|until| {
            let signal = self.signal(until, Role::Absent)?;
            Some(Spanned::new(signal, until.span))
        });
        let (positive, absences) = resolved?;
        let absent: Vec<&str> = steps.iter().filter(|step| step.absent).map(|step| step.signal.node.as_str()).collect();
        let conditions = match &clauses.condition {
            Some(condition) => {
                let scope = relations::StepScope { steps: &positive, absent: &absent, resolver: self };
                relations::resolve(condition, scope)
            }
            None => Some(relations::Conditions::default()),
        };
        let conditions = conditions?;
        let until = match until {
            Some(until) => Some(until?),
            None => None,
        };
        Some(Behavior::Sequence(Sequence {
            steps: positive,
            absences,
            until,
            relations: conditions.relations,
            conditions: conditions.others,
            window: window?,
        }))
    }

    fn steps(&mut self, written: &[written::Step]) -> Option<(Vec<Step>, Vec<Absence>)> {
        let mut steps: Vec<Step> = Vec::new();
        let mut absences: Vec<Absence> = Vec::new();
        let mut whole = true;
        for step in written {
            if step.absent {
                match self.absence(step, steps.len()) {
                    Some(absence) => absences.push(absence),
                    None => whole = false,
                }
                continue;
            }
            let signal = self.signal(&step.signal, Role::Present);
            let times = match &step.times {
                None => Some(1),
                Some(times) => self.times(times),
            };
            let name = step.name.as_ref().unwrap_or(&step.signal);
            if step.name.is_some() {
                let taken = steps.iter().find(|other| other.name == name.node);
                let taken = taken.map(|other| (other.span, "by this step"));
                let signal = self.file.signals.iter().find(|signal| signal.name.node == name.node);
                let signal = signal.map(|signal| (signal.name.span, "by this signal"));
                if let Some((span, who)) = signal.or(taken) {
                    let message = format!("the name `{}` is taken", name.node);
                    let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message).note(span, who);
                    self.report(diagnostic.help("choose another name"));
                    whole = false;
                }
            }
            match (signal, times) {
                (Some(signal), Some(times)) => {
                    steps.push(Step { name: name.node.clone(), signal, times, span: step.span });
                }
                _ => whole = false,
            }
        }
        let positive = written.iter().filter(|step| !step.absent).count();
        whole &= self.check_absences(written, positive);
        whole.then_some((steps, absences))
    }

    fn absence(&mut self, step: &written::Step, before: usize) -> Option<Absence> {
        let signal = self.signal(&step.signal, Role::Absent);
        if let Some(times) = &step.times {
            let message = "an absent signal is not repeated";
            let diagnostic = Diagnostic::new(Code::InvalidBehavior, times.span, message);
            self.report(diagnostic.help("`no a` forbids a single event; remove the braces"));
            return None;
        }
        if let Some(name) = &step.name {
            let message = "an absent signal has no event that a name could stand for";
            self.report(Diagnostic::new(Code::InvalidBehavior, name.span, message).help("remove `as` and the name"));
            return None;
        }
        Some(Absence { signal: signal?, before, span: step.span })
    }

    /// At most one leading and one trailing absence, and something that has to be there.
    fn check_absences(&mut self, written: &[written::Step], positive: usize) -> bool {
        let leading = written.iter().take_while(|step| step.absent);
        let trailing = written.iter().rev().take_while(|step| step.absent);
        if positive == 0 {
            let Some(first) = written.first() else { return false };
            let message = "nothing has to be there, so nothing can close a hit";
            let diagnostic = Diagnostic::new(Code::InvalidBehavior, first.span, message);
            self.report(diagnostic.help("an absence stands beside an event: `a -> no b`, or `no a -> b`"));
            return false;
        }
        let mut whole = true;
        let second = [
            (leading.last(), leading_count(written), "leading"),
            (trailing.last(), trailing_count(written), "trailing"),
        ];
        for (step, count, which) in second {
            if let Some(step) = step.filter(|_| count > 1) {
                let message = format!("more than one {which} absence");
                let diagnostic = Diagnostic::new(Code::InvalidBehavior, step.span, message);
                self.report(diagnostic.help("write both conditions into one signal, joined by `or`"));
                whole = false;
            }
        }
        whole
    }

    fn times(&mut self, amount: &Spanned<Amount>) -> Option<u32> {
        let number = self.number(amount)?;
        match u32::try_from(number) {
            Ok(times @ 1..=1000) => Some(times),
            _ => {
                let message = format!("a step repeats 1 to 1000 times, not {number}");
                let help = "write a number from 1 to 1000";
                self.report(Diagnostic::new(Code::InvalidThreshold, amount.span, message).help(help));
                None
            }
        }
    }
}

fn leading_count(written: &[written::Step]) -> usize {
    written.iter().take_while(|step| step.absent).count()
}

fn trailing_count(written: &[written::Step]) -> usize {
    written.iter().rev().take_while(|step| step.absent).count()
}
