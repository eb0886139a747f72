// What a scanned text is: one of our codes, or a reason to refuse it. The grammar is that of verifier/record/qr.py.
// Nothing is ever opened from a text: the address to go to is built anew from the two parts that were read.

// Host, and port when it is not the scheme's own, as verifier.check.checker.host_of gives it.
function hostOf(scheme, authority) {
  var parts = authority.toLowerCase().split(':');
  var host = parts[0].replace(/\.+$/, '');
  var own = scheme.toLowerCase() === 'https' ? 443 : 80;
  return parts.length < 2 || Number(parts[1]) === own ? host : host + ':' + Number(parts[1]);
}

// Kinds of codes that are no web addresses, by how their text begins.
var KINDS = [
  [/^wifi:/i, 'wifi'], [/^(begin:vcard|mecard:|bizcard:)/i, 'card'], [/^(sms|smsto|mms|tel|mailto|matmsg|geo):/i, 'message'],
  [/^(javascript|data|vbscript|blob|file|intent|view-source|about|ftp|market):/i, 'program'],
  [/^(weixin|wxp|alipays?|upi|bitcoin|ethereum|otpauth|otpauth-migration|fido):/i, 'app']
];

// {code: 'ours', token, payload} or {code, seen}: `seen` is the address or kind as it may be shown to a person.
function judgeText(text, own) {
  var said = text.trim();
  if (said.length > 1024) return { code: 'not-ours', kind: 'long', seen: '' };
  var ours = /^(https?):\/\/([a-z0-9.-]+(?::[0-9]{1,5})?)\/v\/([a-z2-7]{26})(?:#([a-z2-7]+))?$/i.exec(said);
  if (ours) {
    var host = hostOf(ours[1], ours[2]);
    if (own.indexOf(host) < 0) return { code: 'foreign-host', seen: host };
    if (!ours[4]) return { code: 'unsigned', seen: host };
    try {
      if (readCredential(unbase32(ours[4])).token !== ours[3].toUpperCase()) return { code: 'spliced', seen: host };
    } catch (error) {
      return { code: 'damaged', seen: host };
    }
    return { code: 'ours', token: ours[3].toUpperCase(), payload: ours[4].toUpperCase() };
  }
  var kind = KINDS.filter(function (one) { return one[0].test(said); })[0];
  if (kind) return { code: 'not-ours', kind: kind[1], seen: '' };
  var address = null;
  try {
    address = new URL(/^[a-z][a-z0-9+.-]*:/i.test(said) || !/^[^\s/]+\.[^\s/]+/.test(said) ? said : 'http://' + said);
  } catch (error) {
    return { code: 'not-ours', kind: 'text', seen: '' };
  }
  if (!/^https?:$/.test(address.protocol)) return { code: 'not-ours', kind: 'program', seen: '' };
  // The browser's own reading: letters that only look Latin come out as xn--, what stands before @ is left out.
  var there = hostOf(address.protocol.slice(0, -1), address.host);
  return { code: own.indexOf(there) < 0 ? 'foreign-host' : 'not-our-page', seen: there };
}

// All texts in one picture: exactly one, or there is nothing to decide.
function judgeView(texts, own) {
  var different = texts.filter(function (text, at) { return texts.indexOf(text) === at; });
  if (different.length > 1) return { code: 'two-codes', seen: '' };
  return judgeText(different[0], own);
}
