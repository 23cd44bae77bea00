// Checks what the audit API serves, with Node's crypto and nothing of Verbatim's: written from RFC 6962, C2SP signed-note and
// docs/event-log.md. Reads one JSON object from standard input, prints "proven", or fails with the reason.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const join = (left, right) => sha256(Buffer.from([1]), left, right);
const demand = (condition, what) => { if (!condition) throw new Error(what); };

// Both proofs are read from the root down, as RFC 6962 defines them; the path lists hashes from the leaf up.
const split = (size) => { let k = 1; while (k * 2 < size) k *= 2; return k; };

function rootOfInclusion(index, size, leaf, path) {
    if (size === 1) { demand(path.length === 0, 'the path is too long'); return leaf; }
    demand(path.length > 0, 'the path is too short');
    const [k, rest, sibling] = [split(size), path.slice(0, -1), path.at(-1)];
    return index < k
        ? join(rootOfInclusion(index, k, leaf, rest), sibling)
        : join(sibling, rootOfInclusion(index - k, size - k, leaf, rest));
}

// The roots of the smaller and of the larger tree that a path of consistency leads to.
function rootsOfConsistency(from, to, known, isWhole, path) {
    if (from === to) {
        demand(path.length === (isWhole ? 0 : 1), 'the path has a wrong length');
        const root = isWhole ? known : path[0];
        return [root, root];
    }
    demand(path.length > 0, 'the path is too short');
    const [k, rest, sibling] = [split(to), path.slice(0, -1), path.at(-1)];
    if (from <= k) {
        const [one, two] = rootsOfConsistency(from, k, known, isWhole, rest);
        return [one, join(two, sibling)];
    }
    const [one, two] = rootsOfConsistency(from - k, to - k, known, false, rest);
    return [join(sibling, one), join(sibling, two)];
}

const integer = (value, size) => {
    const bytes = Buffer.alloc(size);
    for (let i = size - 1, rest = BigInt(value); i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
    return bytes;
};
const uuid = (text) => Buffer.from(text.replaceAll('-', ''), 'hex');
const text = (value) => { const bytes = Buffer.from(value); return Buffer.concat([integer(bytes.length, 2), bytes]); };

function microseconds(time) {
    const [, seconds, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time);
    return BigInt(Date.parse(seconds + 'Z')) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

const leafOf = (e) => {
    const data = Buffer.from(e.data);
    return sha256(
        Buffer.from([0, 1]), integer(e.position, 8), uuid(e.tenantId), uuid(e.streamId), text(e.streamType),
        integer(e.version, 8), text(e.type), integer(e.typeVersion, 2), integer(microseconds(e.time), 8), text(e.actor),
        text(e.correlation), integer(data.length, 4), data);
};

function open(note, publicKey) {
    const [name, id, key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(publicKey).slice(1);
    const typed = Buffer.from(key, 'base64');
    demand(typed[0] === 2, 'the key is not ECDSA');
    const spki = typed.subarray(1);
    demand(sha256(spki).subarray(0, 4).toString('hex') === id, 'the id of the key is wrong');
    const end = note.lastIndexOf('\n\n');
    const [body, line] = [note.slice(0, end + 1), note.slice(end + 2).trimEnd()];
    demand(line.startsWith(`— ${name} `), 'another key has signed');
    const signature = Buffer.from(line.split(' ')[2], 'base64');
    demand(signature.subarray(0, 4).toString('hex') === id, 'another key has signed');
    const trusted = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    demand(verify('sha256', Buffer.from(body), trusted, signature.subarray(4)), 'the signature is wrong');
    const [origin, size, root] = body.split('\n');
    demand(origin === name, 'the checkpoint is of another log');
    return { size: Number(size), root: Buffer.from(root, 'base64') };
}

const hashes = (list) => list.map((hash) => Buffer.from(hash, 'hex'));

// An export of chosen events: each is followed up to where its path meets that of the event before, which is known.
function provenEvents(lines, publicKey) {
    const [begin, ...rest] = lines.trimEnd().split('\n').map((line) => JSON.parse(line));
    demand(begin.format === 'verbatim-selection/1', 'this is another format');
    const { size, root } = open(begin.checkpoint, publicKey);
    const end = rest.pop();
    let known = [];
    for (const e of rest) {
        const index = e.position - 1;
        demand(index < size && !(known.length && index <= known.at(-1).start), 'a position is out of order');
        // The nodes over the leaf, from the root down, as RFC 6962 splits trees.
        const nodes = [{ start: 0, end: size }];
        for (let { start, end: stop } = nodes[0]; stop - start > 1;) {
            const middle = start + split(stop - start);
            if (index < middle) stop = middle; else start = middle;
            nodes.push({ start, end: stop });
        }
        // The first of them that the event before does not have as well.
        let own = 0;
        while (own < known.length && known[own].start === nodes[own].start && known[own].end === nodes[own].end) own++;
        const bytes = Buffer.from(e.proof, 'base64');
        demand(bytes.length === 32 * (nodes.length - 1 - own), 'a proof has another length');
        let hash = leafOf(e);
        demand(hash.toString('hex') === e.leafHash, 'an event does not have its leaf hash');
        nodes.at(-1).hash = hash;
        for (let i = nodes.length - 2, at = 0; i >= own; i--, at += 32) {
            const sibling = bytes.subarray(at, at + 32);
            hash = nodes[i + 1].start === nodes[i].start ? join(hash, sibling) : join(sibling, hash);
            nodes[i].hash = hash;
        }
        demand(own === 0 ? hash.equals(root) : join(known[own].hash, hash).equals(known[own - 1].hash), 'an event is not in the tree');
        known = [...known.slice(0, own), ...nodes.slice(own)];
    }
    demand(end.events === rest.length, 'the end counts other events');
    return rest.length;
}

const input = JSON.parse(readFileSync(0, 'utf8'));
if (input.selection !== undefined) {
    console.log(`proven ${provenEvents(input.selection, input.publicKey)}`);
    process.exit(0);
}
const { publicKey, older, newer, event, inclusion, consistency } = input;
const [first, second] = [open(older, publicKey), open(newer, publicKey)];
demand(inclusion.treeSize === second.size, 'the proof is for another tree');
const root = rootOfInclusion(event.position - 1, second.size, leafOf(event), hashes(inclusion.hashes));
demand(root.equals(second.root), 'the event is not in the tree');
const [one, two] = rootsOfConsistency(first.size, second.size, first.root, true, hashes(consistency.hashes));
demand(one.equals(first.root) && two.equals(second.root), 'the log has not only grown');
console.log('proven');
