// Reads signed status lists as CWT: verifier/record/status_list.py, rule for rule. Needs DecompressionStream (2023).

// COSE_Sign1 over a status list; throws 'untrusted' for any other form.
function readList(token) {
  function hold(condition) { if (!condition) throw new Error('untrusted'); }
  hold(token.length <= 4194304 && token[0] === 0xd2);
  var parts = uncbor(token.slice(1));
  hold(Array.isArray(parts) && parts.length === 4);
  hold(isBytes(parts[0]) && parts[1] instanceof Map && parts[1].size === 0 && isBytes(parts[2]) && isBytes(parts[3], 64));
  var header = uncbor(parts[0]);
  hold(header instanceof Map && header.size === 3 && header.get(1) === -7 && isBytes(header.get(4), 8));
  hold(header.get(16) === 'application/statuslist+cwt');
  var claims = uncbor(parts[2]);
  hold(claims instanceof Map);
  var listed = claims.get(65533);
  hold(listed instanceof Map && listed.get('bits') === 2 && isBytes(listed.get('lst')));
  [4, 6, 65534].forEach(function (label) { hold(typeof claims.get(label) === 'number' && claims.get(label) >= 0); });
  hold(claims.get(65534) > 0 && typeof claims.get(2) === 'string');
  return {
    protectedBytes: parts[0], payload: parts[2], signature: parts[3], kid: hex(header.get(4)), address: claims.get(2),
    expires: claims.get(4), issued: claims.get(6), packed: listed.get('lst')
  };
}

// At most 2 MiB, so that a small list cannot unfold into all of the memory.
function inflated(packed) {
  var reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  var chunks = [], size = 0;
  function next(step) {
    if (step.done) {
      var out = new Uint8Array(size), at = 0;
      chunks.forEach(function (chunk) { out.set(chunk, at); at += chunk.length; });
      return out;
    }
    size += step.value.length;
    if (size > 2097152) throw new Error('untrusted');
    chunks.push(step.value);
    return reader.read().then(next);
  }
  return reader.read().then(next);
}

// Resolves to {value, issued, expires} (two bits; seconds) or rejects with 'untrusted' or 'expired'.
function statusFrom(token, keys, address, index, now) {
  var list;
  try {
    list = readList(token);
  } catch (error) {
    return Promise.reject(new Error('untrusted'));
  }
  return verifyCredential(list, keys).then(function (code) {
    if (code || list.address !== address) throw new Error('untrusted');
    if (!(list.issued - 60 <= now && now < list.expires)) throw Object.assign(new Error('expired'), { issued: list.issued });
    return inflated(list.packed);
  }).then(function (statuses) {
    if (index >= statuses.length * 4) throw new Error('untrusted');
    return { value: statuses[index >> 2] >> 2 * (index & 3) & 3, issued: list.issued, expires: list.expires };
  });
}
