// Checks that the log holds a certificate's status: signed checkpoint, path to its root, and the leaf itself.
// Loaded by the QR page after its answer; uses what credential.js defines there. LOG stands at the end.
// Layout: verifier/record/log_reading.py; hashing: RFC 6962, 2.1; checkpoint: C2SP tlog-checkpoint, signature type 0x02.

function unhex(text) {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Error('log-unproven');
  return new Uint8Array((text.match(/../g) || []).map(function (pair) { return parseInt(pair, 16); }));
}

function unbase64(text) {
  return Uint8Array.from(atob(text), function (char) { return char.charCodeAt(0); });
}

function joined() {
  return new Uint8Array([].concat.apply([], Array.from(arguments).map(function (part) { return Array.from(part); })));
}

function sha256(bytes) {
  return crypto.subtle.digest('SHA-256', bytes).then(function (digest) { return new Uint8Array(digest); });
}

function importKey(key) {
  var jwk = { kty: 'EC', crv: 'P-256', x: key.x, y: key.y, ext: true };
  return crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
}

// ECDSA-Sig-Value (DER) as WebCrypto takes it: r, then s, 32 bytes each.
function rawSignature(der) {
  var at = 2, out = new Uint8Array(64);
  function whole(end) {
    var length = der[at + 1], number = der.slice(at + 2, at + 2 + length);
    if (der[at] !== 2 || number.length !== length || !length) throw new Error('log-unproven');
    while (number.length > 32 && number[0] === 0) number = number.slice(1);
    if (number.length > 32) throw new Error('log-unproven');
    out.set(number, end - number.length);
    at += 2 + length;
  }
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new Error('log-unproven');
  whole(32);
  whole(64);
  if (at !== der.length) throw new Error('log-unproven');
  return out;
}

// Resolves to {size, root} when one of `keys` signed the note for the log `origin`.
function readNote(note, origin, keys) {
  var middle = note.lastIndexOf('\n\n');
  var body = note.slice(0, middle + 1), lines = body.split('\n');
  if (middle < 0 || lines[0] !== origin || !/^(0|[1-9][0-9]{0,14})$/.test(lines[1])) {
    return Promise.reject(new Error('log-unproven'));
  }
  var tried = note.slice(middle + 2).split('\n').map(function (line) {
    var found = /^\u2014 (\S+) (\S+)$/.exec(line);
    if (!found || found[1] !== origin) return null;
    var raw = unbase64(found[2]), id = hex(raw.slice(0, 4));
    var key = keys.filter(function (one) { return one.kid.slice(0, 8) === id; })[0];
    return key ? { key: key, signature: rawSignature(raw.slice(4)) } : null;
  }).filter(Boolean);
  if (!tried.length) return Promise.reject(new Error('log-unproven'));
  return Promise.all(tried.map(function (one) {
    return importKey(one.key).then(function (key) {
      return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, one.signature, new TextEncoder().encode(body));
    });
  })).then(function (good) {
    if (good.indexOf(false) >= 0) throw new Error('log-unproven');
    return { size: Number(lines[1]), root: unbase64(lines[2]) };
  });
}

// RFC 9162, 2.1.3.2: from the leaf's hash up to the root of a tree of `size`.
function rootFrom(leafHash, index, size, path) {
  var at = index, last = size - 1;
  if (!(index >= 0 && index < size)) return Promise.reject(new Error('log-unproven'));
  return path.reduce(function (before, sibling) {
    return before.then(function (hash) {
      if (last === 0) throw new Error('log-unproven');
      var left = at % 2 === 1 || at === last;
      if (left) while (at % 2 === 0 && at !== 0) { at /= 2; last = Math.floor(last / 2); }
      at = Math.floor(at / 2);
      last = Math.floor(last / 2);
      return sha256(left ? joined([1], sibling, hash) : joined([1], hash, sibling));
    });
  }, Promise.resolve(leafHash)).then(function (root) {
    if (last !== 0) throw new Error('log-unproven');
    return root;
  });
}

function same(one, other) {
  return one.length === other.length && hex(one) === hex(other);
}

// The status a leaf states; refuses a leaf of another certificate, or of a file.
function readLeaf(bytes, token) {
  var leaf = uncbor(bytes);
  if (!Array.isArray(leaf) || leaf.length !== 8 || leaf[0] !== 2 || leaf[1] === 'file' || !isBytes(leaf[3], 32)) throw new Error('log-unproven');
  var event = new Uint8Array(8), number = leaf[2];
  for (var i = 7; i >= 0; i--) { event[i] = number % 256; number = Math.floor(number / 256); }
  return sha256(joined(new TextEncoder().encode('ecert-log-token\0'), event, unbase32(token))).then(function (digest) {
    if (!same(digest, leaf[3])) throw new Error('log-unproven');
    return leaf[5];
  });
}

function verifyProof(proof, log, token) {
  return readNote(proof.checkpoint, log.origin, log.keys).then(function (head) {
    var leaf = unhex(proof.leaf);
    if (head.size !== proof.tree_size) throw new Error('log-unproven');
    return sha256(joined([0], leaf)).then(function (leafHash) {
      if (hex(leafHash) !== proof.leaf_hash) throw new Error('log-unproven');
      return rootFrom(leafHash, proof.leaf_index, head.size, proof.proof.map(unhex));
    }).then(function (root) {
      if (!same(root, head.root)) throw new Error('log-unproven');
      return readLeaf(leaf, token);
    }).then(function (status) {
      return { status: status, index: String(proof.leaf_index + 1), size: String(head.size) };
    });
  });
}

// Rejects with 'log-unproven' when the proof does not hold, with anything else when there is none to be had.
function askLog(log, token) {
  return fetch(log.address + token, { credentials: 'omit', referrerPolicy: 'no-referrer' }).then(function (answer) {
    if (!answer.ok) throw new Error('log-unavailable');
    return answer.json();
  }).then(function (proof) {
    return Promise.resolve().then(function () {
      return verifyProof(proof, log, token);
    }).then(null, function () { throw new Error('log-unproven'); });
  });
}
