//! What is computed in 8 bits: takes a network, gives what becomes of each node and which
//! activations are quantised.
//!
//! What counts are the nodes with weights: convolutions and matrix products. Between two of them
//! everything that can stay in 8 bits does. What comes before the first (preparing the picture)
//! and after the last (decoding boxes, making probabilities) stays in floats, and so does what
//! the last one gives: there, steps of 1/255 of the range would be steps of the score.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Net, int_of, known_as, setting};
use super::{Int8, Kept, Layout, QuantizeError};
use crate::onnx::proto::NodeProto;

/// What becomes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Stays as it is.
    Float,
    /// Has weights of its own, which become 8-bit integers: its second input.
    Weighted,
    /// Computes on 8-bit activations.
    Computes,
    /// Gives on what it takes, in the same steps.
    Moves,
    /// A limit that the steps of its output keep anyway: it goes.
    Absorbed,
    /// A limit directly behind what computes: nothing is quantised in between.
    Follows,
}

/// Operators with weights.
const WEIGHTED: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];
/// Operators that ONNX Runtime computes on 8-bit activations.
const COMPUTES: [&str; 7] =
    ["Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid"];
/// Operators whose output holds nothing that their input did not.
const MOVES: [&str; 14] = [
    "MaxPool",
    "Reshape",
    "Flatten",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Slice",
    "Resize",
    "Split",
    "Gather",
    "DepthToSpace",
    "SpaceToDepth",
    "Identity",
    "Pad",
];
/// Limits.
const LIMITS: [&str; 2] = ["Relu", "Clip"];

/// The nodes' roles and the activations to quantise.
pub(super) struct Plan {
    /// One a node.
    pub roles: Vec<Role>,
    /// Activations that are quantised, each with the one whose steps it has: itself, or what it
    /// was moved from.
    pub activations: BTreeMap<String, String>,
    /// Nodes with weights that stay in floats.
    pub kept: Vec<Kept>,
}

impl Plan {
    /// Plans for `net`, of which `floats` are the float tensors; nodes named in `keep` stay.
    ///
    /// # Errors
    /// When a name is no node's, or nothing is left to quantise.
    pub fn new(
        net: &Net,
        floats: &BTreeSet<String>,
        keep: &[String],
        how: &Int8,
    ) -> Result<Self, QuantizeError> {
        check_names(net, keep)?;
        let mut plan = Self { roles: Vec::new(), activations: BTreeMap::new(), kept: Vec::new() };
        plan.roles = plan.fitting(net, floats, keep);
        if !plan.roles.contains(&Role::Weighted) {
            return Err(QuantizeError::NothingToQuantize);
        }
        if !how.first_too {
            plan.leave_first(net);
        }
        let leads_on = plan.stay_between(net);
        plan.put_limits(net, how.layout, &leads_on);
        plan.choose_activations(net, floats, &leads_on);
        Ok(plan)
    }

    /// The steps that are needed: of these activations the ranges must be known.
    pub fn measured(&self) -> Vec<String> {
        let roots: BTreeSet<_> = self.activations.values().cloned().collect();
        roots.into_iter().collect()
    }

    /// What each node could be, by itself.
    fn fitting(&mut self, net: &Net, floats: &BTreeSet<String>, keep: &[String]) -> Vec<Role> {
        let mut roles = Vec::new();
        for node in &net.graph.node {
            let role = role_of(net, floats, node);
            let asked = keep.iter().any(|name| is_called(node, name));
            let why = match role {
                Ok(Role::Weighted) if asked => Some("asked for"),
                Err(why) => Some(why),
                Ok(_) => None,
            };
            if let Some(why) = why {
                let (node, op) = (known_as(node).to_owned(), node.op_type.clone());
                self.kept.push(Kept { node, op, why: why.to_owned() });
            }
            roles.push(if asked { Role::Float } else { role.unwrap_or(Role::Float) });
        }
        roles
    }

    /// Weighted nodes that no other is before stay in floats, unless there are no more.
    fn leave_first(&mut self, net: &Net) {
        let nodes = || net.graph.node.iter().zip(&self.roles).enumerate();
        let mut behind: BTreeSet<&str> = BTreeSet::new();
        let mut first = Vec::new();
        for (index, (node, role)) in nodes() {
            let from = node.input.iter().any(|input| behind.contains(&**input));
            if *role == Role::Weighted && !from {
                first.push(index);
            }
            if *role == Role::Weighted || from {
                behind.extend(node.output.iter().map(String::as_str));
            }
        }
        if first.len() == nodes().filter(|(_, (_, role))| **role == Role::Weighted).count() {
            return;
        }
        for index in first {
            let (node, why) = (&net.graph.node[index], "it sees the picture itself".to_owned());
            self.roles[index] = Role::Float;
            let (node, op) = (known_as(node).to_owned(), node.op_type.clone());
            self.kept.push(Kept { node, op, why });
        }
    }

    /// Nodes that are not between two weighted ones stay in floats. Gives the tensors from which
    /// a way leads on to a weighted node.
    fn stay_between(&mut self, net: &Net) -> BTreeSet<String> {
        let nodes = &net.graph.node;
        let mut leads_on: BTreeSet<String> = BTreeSet::new();
        for (node, role) in nodes.iter().zip(&self.roles).rev() {
            let reaches = node.output.iter().any(|output| leads_on.contains(output));
            if *role == Role::Weighted {
                leads_on.insert(node.input[0].clone());
            } else if reaches {
                leads_on.extend(node.input.iter().cloned());
            }
        }
        let mut comes_from: BTreeSet<&str> = BTreeSet::new();
        for (node, role) in nodes.iter().zip(&mut self.roles) {
            let from = node.input.iter().any(|input| comes_from.contains(&**input));
            if *role == Role::Weighted || from {
                comes_from.extend(node.output.iter().map(String::as_str));
            }
            let between = from && node.output.iter().any(|output| leads_on.contains(output));
            if *role != Role::Weighted && !between {
                *role = Role::Float;
            }
        }
        leads_on
    }

    /// Limits directly behind what computes need no steps in between.
    fn put_limits(&mut self, net: &Net, layout: Layout, leads_on: &BTreeSet<String>) {
        let (takers, held) = (net.takers(), net.held());
        let mut makers: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, node) in net.graph.node.iter().enumerate() {
            makers.extend(node.output.iter().map(|output| (&**output, index)));
            if self.roles[index] == Role::Float || !LIMITS.contains(&&*node.op_type) {
                continue;
            }
            let (input, output) = (&*node.input[0], &*node.output[0]);
            let behind = makers
                .get(input)
                .is_some_and(|maker| matches!(self.roles[*maker], Role::Weighted | Role::Computes));
            let alone = takers.get(input).is_some_and(|takers| takers.len() == 1);
            if !(behind && alone) || held.contains(input) || !leads_on.contains(output) {
                continue;
            }
            let free =
                layout == Layout::Cpu && !held.contains(output) && is_kept_by_steps(net, node);
            self.roles[index] = if free { Role::Absorbed } else { Role::Follows };
        }
    }

    fn choose_activations(
        &mut self,
        net: &Net,
        floats: &BTreeSet<String>,
        leads_on: &BTreeSet<String>,
    ) {
        let limited: BTreeSet<&str> = self.with_role(net, &[Role::Absorbed, Role::Follows]);
        let mut chosen = BTreeSet::new();
        for (node, role) in net.graph.node.iter().zip(&self.roles) {
            let inputs = match role {
                Role::Weighted => &node.input[..1],
                Role::Computes if LIMITS.contains(&&*node.op_type) => &node.input[..1],
                Role::Computes => &node.input[..],
                _ => &[],
            };
            chosen.extend(inputs.iter().filter(|input| floats.contains(*input)).cloned());
            let gives = !matches!(role, Role::Float | Role::Moves);
            let outputs = node.output.iter().filter(|output| {
                gives && leads_on.contains(*output) && !limited.contains(&***output)
            });
            chosen.extend(outputs.cloned());
        }
        self.activations = chosen.into_iter().map(|name| (name.clone(), name)).collect();
        for (index, node) in net.graph.node.iter().enumerate() {
            if self.roles[index] != Role::Moves {
                continue;
            }
            match self.activations.get(&node.input[0]).cloned() {
                Some(root) => {
                    let on = node.output.iter();
                    let on = on.filter(|out| leads_on.contains(*out) && floats.contains(*out));
                    self.activations.extend(on.map(|output| (output.clone(), root.clone())));
                }
                None => self.roles[index] = Role::Float,
            }
        }
    }

    /// First inputs of the nodes of these roles.
    fn with_role<'a>(&self, net: &'a Net, roles: &[Role]) -> BTreeSet<&'a str> {
        let nodes = net.graph.node.iter().zip(&self.roles);
        let of_role = nodes.filter(|(_, role)| roles.contains(role));
        of_role.map(|(node, _)| &*node.input[0]).collect()
    }
}

/// Whether a user's word means `node`: its name or an output of it.
pub(super) fn is_called(node: &NodeProto, name: &str) -> bool {
    node.name == name || node.output.iter().any(|output| output == name)
}

/// Refuses names that are no node's.
pub(super) fn check_names(net: &Net, keep: &[String]) -> Result<(), QuantizeError> {
    let nodes = &net.graph.node;
    let lost = keep.iter().find(|name| !nodes.iter().any(|node| is_called(node, name)));
    let Some(name) = lost else { return Ok(()) };
    let weighted = nodes.iter().filter(|node| WEIGHTED.contains(&&*node.op_type));
    let there: Vec<_> = weighted.map(|node| known_as(node).to_owned()).collect();
    Err(QuantizeError::NoSuchNode { name: name.clone(), there })
}

/// What `node` could be; an error says why one with weights can't be quantised.
fn role_of(net: &Net, floats: &BTreeSet<String>, node: &NodeProto) -> Result<Role, &'static str> {
    let is_float = node.input.first().is_some_and(|input| floats.contains(input));
    let gives = node.output.first().is_some_and(|output| floats.contains(output));
    if !node.domain.is_empty() || !gives {
        return Ok(Role::Float);
    }
    let op = &*node.op_type;
    let weights = node.input.get(1).and_then(|name| net.constant(name));
    if op == "MatMul" && weights.is_none() {
        return Ok(Role::Computes);
    }
    if WEIGHTED.contains(&op) {
        let weights = weights.and_then(|weights| weights.floats());
        return weighted(node, is_float, weights).map(|()| Role::Weighted);
    }
    if COMPUTES.contains(&op) {
        return Ok(Role::Computes);
    }
    if !is_float {
        return Ok(Role::Float);
    }
    if LIMITS.contains(&op) {
        return Ok(Role::Computes);
    }
    let moves = MOVES.contains(&op) && !(op == "Pad" && adds_other_than_zero(net, node));
    let cubic = setting(node, "mode").is_some_and(|mode| mode.s == b"cubic");
    Ok(if moves && !(op == "Resize" && cubic) { Role::Moves } else { Role::Float })
}

/// Says why a node with weights can't be quantised, if it can't.
fn weighted(
    node: &NodeProto,
    takes_floats: bool,
    weights: Option<Vec<f32>>,
) -> Result<(), &'static str> {
    let number = |name| setting(node, name).map_or(1.0, |setting| setting.f);
    let Some(values) = weights else { return Err("its weights are no constant of floats") };
    if !takes_floats {
        return Err("its input is no activation of floats");
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err("its weights are not finite");
    }
    let plain = int_of(node, "transA", 0) == 0 && number("alpha") == 1.0 && number("beta") == 1.0;
    if node.op_type == "Gemm" && !plain {
        return Err("it has alpha, beta or transA");
    }
    Ok(())
}

fn adds_other_than_zero(net: &Net, pad: &NodeProto) -> bool {
    match pad.input.get(2).map(String::as_str) {
        None | Some("") => false,
        Some(value) => net.constant(value).and_then(|v| v.floats()).is_none_or(|v| v != [0.0]),
    }
}

/// Whether a limit's output lies between 0 and what was measured by its nature: then the steps,
/// which begin and end there, do its work.
fn is_kept_by_steps(net: &Net, limit: &NodeProto) -> bool {
    let bound = |at: usize| match limit.input.get(at).map(String::as_str) {
        None | Some("") => None,
        Some(name) => Some(net.constant(name).and_then(|bound| bound.floats())),
    };
    let one = |bound: Option<Option<Vec<f32>>>| match bound {
        None => Ok(None),
        Some(Some(values)) if values.len() == 1 => Ok(Some(values[0])),
        Some(_) => Err(()),
    };
    match (one(bound(1)), one(bound(2))) {
        (Ok(low), Ok(high)) => {
            low.is_none_or(|low| low <= 0.0) && high.is_none_or(|high| high >= 0.0)
        }
        _ => false,
    }
}
