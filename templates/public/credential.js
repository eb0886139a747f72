// Reads and verifies the credential in a QR code's fragment. Layout: verifier/record/credential.py, byte for byte.
// Written for browsers of 2018-2020: nothing newer than ES2018, no library.

// RFC 4648 base32 without padding, one accepted spelling for every byte string. Returns bytes or throws.
function unbase32(text) {
  var alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  var out = [], held = 0, bits = 0;
  for (var i = 0; i < text.length; i++) {
    var value = alphabet.indexOf(text.charAt(i).toUpperCase());
    if (value < 0) throw new Error('base32');
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  if (bits > 4 || held !== 0 || !out.length) throw new Error('base32');
  return new Uint8Array(out);
}

function base32(bytes) {
  var alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  var out = '', held = 0, bits = 0;
  for (var i = 0; i < bytes.length; i++) {
    held = (held << 8) | bytes[i];
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += alphabet.charAt(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  return bits ? out + alphabet.charAt(held << (5 - bits)) : out;
}

function hex(bytes) {
  return Array.from(bytes).map(function (b) { return (b < 16 ? '0' : '') + b.toString(16); }).join('');
}

// Deterministic CBOR (RFC 8949, 4.2.1): integers, bytes, text, arrays, maps. One accepted spelling for every value.
function uncbor(data) {
  var at = 0;
  function fail() { throw new Error('cbor'); }
  function head() {
    if (at >= data.length) fail();
    var first = data[at++], short = first & 31, number = short;
    if (short > 27) fail();
    if (short > 23) {
      var size = 1 << (short - 24);
      if (at + size > data.length) fail();
      number = 0;
      for (var i = 0; i < size; i++) number = number * 256 + data[at++];
      if (number > Number.MAX_SAFE_INTEGER || number < (size === 1 ? 24 : Math.pow(2, 4 * size))) fail();
    }
    return [first >> 5, number];
  }
  function slice(length) {
    if (length > data.length - at) fail();
    at += length;
    return data.slice(at - length, at);
  }
  function value(depth) {
    if (depth > 6) fail();
    var top = head(), kind = top[0], number = top[1], i;
    if (kind === 0) return number;
    if (kind === 1) return -1 - number;
    if (kind === 2) return slice(number);
    if (kind === 3) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(slice(number));
    if (kind !== 4 && kind !== 5 || number > data.length - at) fail();
    if (kind === 4) {
      var items = [];
      for (i = 0; i < number; i++) items.push(value(depth + 1));
      return items;
    }
    var map = new Map(), previous = '';
    for (i = 0; i < number; i++) {
      var start = at, key = value(depth + 1), spelling = hex(data.slice(start, at));
      if (typeof key === 'object' || spelling <= previous) fail();
      previous = spelling;
      map.set(key, value(depth + 1));
    }
    return map;
  }
  var result = value(0);
  if (at !== data.length) fail();
  return result;
}

// What uncbor gives back: a number that is a whole number, a string, bytes, a list or a map.
function isBytes(value, length) {
  return value instanceof Uint8Array && (length === undefined || value.length === length);
}

function isText(value, least, most) {
  return typeof value === 'string' && Array.from(value).length >= least && Array.from(value).length <= most;
}

// Claims of a credential whose signature is not yet checked; throws when the layout is any other.
function readCredential(bytes) {
  function hold(condition) { if (!condition) throw new Error('credential'); }
  hold(bytes.length <= 1024 && bytes[0] === 0xd2);
  var parts = uncbor(bytes.slice(1));
  hold(Array.isArray(parts) && parts.length === 4);
  hold(isBytes(parts[0]) && parts[1] instanceof Map && parts[1].size === 0 && isBytes(parts[2]) && isBytes(parts[3]));
  var header = uncbor(parts[0]);
  hold(header instanceof Map && header.size === 2 && header.get(1) === -7 && isBytes(header.get(4), 8));
  var claims = uncbor(parts[2]);
  hold(claims instanceof Map && (claims.size === 3 || claims.size === 5));
  var issued = claims.get(6), token = claims.get(7), c = claims.get(-65537), copy = null;
  if (claims.size === 5) {
    // Of a purpose-bound copy: the end of its last day (UTC+8), and its own place in the status lists.
    var ends = claims.get(4), own = claims.get(-65538);
    hold(typeof ends === 'number' && ends > 0 && ends <= 253402300799 && (ends + 28800) % 86400 === 0);
    hold(Array.isArray(own) && own.length === 2 && isText(own[0], 1, 32));
    hold(typeof own[1] === 'number' && own[1] >= 0 && own[1] < 1048576);
    copy = { ends: ends, list_id: own[0], list_index: own[1] };
  }
  hold(typeof issued === 'number' && issued >= 0 && issued <= 253402300799 && isBytes(token, 16));
  hold(Array.isArray(c) && c.length === 10);
  hold(isText(c[0], 1, 40) && isText(c[1], 1, 128) && isText(c[2], 1, 32) && isText(c[3], 1, 80));
  hold(isText(c[4], 0, 16) && isText(c[5], 0, 80) && isBytes(c[7], 8) && isText(c[8], 1, 32));
  hold(typeof c[6] === 'number' && c[6] >= 0 && c[6] <= 2932896);
  hold(typeof c[9] === 'number' && c[9] >= 0 && c[9] < 1048576);
  return {
    protectedBytes: parts[0], payload: parts[2], signature: parts[3], kid: hex(header.get(4)), issued: issued,
    token: base32(token), management_no: c[0], name: c[1], programme_code: c[2], programme_name: c[3], level: c[4],
    specialty: c[5], approved_on: new Date(c[6] * 86400000).toISOString().slice(0, 10), list_id: c[8], list_index: c[9],
    copy: copy
  };
}

// The bytes that were signed: Sig_structure of RFC 9052, 4.4.
function toBeSigned(credential) {
  function bytesHead(length) {
    if (length > 65535) throw new Error('cbor');
    return length < 24 ? [64 + length] : length < 256 ? [88, length] : [89, length >> 8, length & 255];
  }
  var label = Array.from('Signature1').map(function (char) { return char.charCodeAt(0); });
  return new Uint8Array([].concat(
    [0x84, 0x6a], label, bytesHead(credential.protectedBytes.length), Array.from(credential.protectedBytes), [0x40],
    bytesHead(credential.payload.length), Array.from(credential.payload)
  ));
}

// Resolves to '' when the credential is by one of `keys` (JWK members and nbf, exp, retired in seconds), else to the
// reason code. WebCrypto takes the signature as it stands in COSE: r, then s.
function verifyCredential(credential, keys) {
  var key = keys.filter(function (one) { return one.kid === credential.kid; })[0];
  if (!key) return Promise.resolve('credential-untrusted');
  if (credential.signature.length !== 64) return Promise.resolve('credential-altered');
  var algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  var jwk = { kty: 'EC', crv: 'P-256', x: key.x, y: key.y, ext: true };
  return crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']).then(function (imported) {
    return crypto.subtle.verify(
      { name: 'ECDSA', hash: 'SHA-256' }, imported, credential.signature, toBeSigned(credential)
    );
  }).then(function (good) {
    if (!good) return 'credential-altered';
    var late = key.retired !== null && credential.issued > key.retired;
    return credential.issued < key.nbf || credential.issued > key.exp || late ? 'credential-untrusted' : '';
  });
}
