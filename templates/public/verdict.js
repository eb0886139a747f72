// The QR page: what the address carried after '#', checked here and set beside what the register said.
// The server rendered the answer for the token alone; this only ever adds checks to it.
(function () {
  var page = JSON.parse(document.getElementById('page').textContent);
  var shown = panel(page);
  var fragment = location.hash.slice(1);
  addEventListener('hashchange', function () { location.reload(); });
  if (!fragment) return;

  var settled = false;

  function settle(verdict, code, credential, field) {
    if (settled) return;
    settled = true;
    var face = page.faces[verdict];
    var unsigned = document.getElementById('unsigned');
    if (unsigned) shown.checks.removeChild(unsigned);
    // What is refused for itself is not helped by what the register says of some certificate.
    if (face.refuses) shown.checks.textContent = '';
    var signed = credential && credential.verified;
    shown.add(code, face.tone, { field: field });
    if (signed && code !== 'credential-verified') shown.add('credential-verified', face.tone);
    shown.worstFirst();
    var ours = signed && credential.token === page.token;
    if (ours) shown.facts(credential, page.record || {});
    if (ours || face.refuses) {
      document.getElementById('facts').hidden = !ours;
      if (face.refuses) {
        shown.text('facts-title', page.compared);
        document.getElementById('facts').classList.add('refused');
      }
      document.getElementById('cols').classList.toggle('bare', !ours);
    }
    shown.show(face, verdict);
    if (signed && credential.bound) {
      shown.person(credential);
      proveInLog(verdict);
    }
  }

  // After the answer: the log of all issues and changes. It adds a line; only what contradicts the answer changes it.
  function proveInLog(verdict) {
    var script = document.createElement('script');
    script.src = page.log;
    script.onerror = function () { shown.add('log-unavailable', 'good', {}, true); };
    script.onload = function () { compareWithLog(verdict); };
    document.head.appendChild(script);
  }

  function compareWithLog(verdict) {
    Object.assign(page.words, LOG.words);
    askLog(LOG, page.logged).then(function (found) {
      var contradicts = found.status !== verdict && verdict === 'valid';
      if (!contradicts) {
        shown.add(found.status === verdict ? 'log-included' : 'log-behind', 'good', found, true);
        return;
      }
      shown.add('log-disagrees', 'caution', found);
      shown.show(LOG.face, 'status_unknown');
    }, function (error) {
      shown.add(error && error.message === 'log-unproven' ? 'log-unproven' : 'log-unavailable', 'good', {}, true);
    });
  }

  // A signature that could not be looked at never leaves a better answer than "cannot be determined".
  function undetermined(code) {
    if (settled) return;
    settle(page.verdict === 'valid' ? 'status_unknown' : page.verdict, code, null);
    if (page.verdict === 'valid') shown.show(page.faces.unchecked, 'status_unknown');
  }

  function judge() {
    var bytes, credential;
    if (!(self.crypto && crypto.subtle && self.TextDecoder)) {
      undetermined('credential-unverifiable');
      return Promise.resolve();
    }
    try {
      bytes = unbase32(fragment);
      credential = readCredential(bytes);
    } catch (error) {
      settle('malformed', 'credential-malformed', null);
      return Promise.resolve();
    }
    return verifyCredential(credential, page.keys).then(function (code) {
      if (code) {
        settle(page.refusals[code], code, null);
        return null;
      }
      credential.verified = true;
      if (credential.token !== page.token) {
        settle('altered', 'credential-other-certificate', credential);
        return null;
      }
      if (!page.record) {
        if (page.verdict === 'valid') undetermined('credential-unverifiable');
        else settle(page.verdict, 'credential-verified', credential);
        return null;
      }
      return crypto.subtle.digest('SHA-256', bytes).then(function (digest) {
        var record = page.record;
        var wrong = ['programme_code', 'programme_name', 'level', 'specialty', 'approved_on', 'list_id', 'list_index']
          .filter(function (name) { return credential[name] !== record[name]; })[0];
        if (hex(new Uint8Array(digest)) !== record.credential_sha256) {
          settle('altered', 'credential-not-registered', credential);
        } else if (wrong) {
          settle('altered', 'record-disagrees', credential, wrong);
        } else {
          credential.bound = true;
          settle(page.verdict, 'credential-bound', credential);
        }
      });
    });
  }

  shown.show(page.faces.pending, 'pending');
  var late = new Promise(function (resolve, reject) { setTimeout(reject, 8000); });
  Promise.race([judge(), late]).then(null, function () { undetermined('credential-unverifiable'); });
})();
