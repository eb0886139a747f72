// The QR page without a network: the same signature, and the status from the signed list that was kept, no fresher.
// Rules: verifier/check/offline.py. What cannot be had, or is past its time, is never shown as valid.
(function () {
  var page = JSON.parse(document.getElementById('page').textContent);
  var shown = panel(page);
  var now = Date.now() / 1000;
  var DAY = 86400;
  var done = [];
  addEventListener('hashchange', function () { location.reload(); });
  document.getElementById('retry').addEventListener('click', function () { location.reload(); });

  function minute(seconds) {
    var local = new Date(seconds * 1000 + 8 * 3600000).toISOString();
    return local.slice(0, 10) + ' ' + local.slice(11, 16);
  }

  function ago(seconds) {
    var minutes = Math.max(0, Math.round((now - seconds) / 60));
    var unit = minutes < 120 ? [minutes, '分钟', 'minutes'] : minutes < 2880
      ? [Math.round(minutes / 60), '小时', 'hours'] : [Math.round(minutes / 1440), '天', 'days'];
    return minutes ? { zh: unit[0] + ' ' + unit[1] + '前', en: unit[0] + ' ' + unit[2] + ' ago' } : { zh: '刚才', en: 'just now' };
  }

  function age(id, seconds) {
    var row = document.getElementById(id);
    row.querySelector('.when').textContent = seconds ? minute(seconds) + '（' + ago(seconds).zh + '）' : '没有 none';
    row.querySelector('.en').textContent = seconds ? ago(seconds).en : '';
  }

  function end(verdict, code, values, credential) {
    var face = page.faces[verdict];
    if (face.refuses) done = [];
    done.concat([[code, values]]).forEach(function (one) { shown.add(one[0], face.tone, one[1]); });
    shown.worstFirst();
    if (credential) {
      shown.facts(credential, {});
      document.getElementById('facts').hidden = false;
      document.getElementById('cols').classList.remove('bare');
      shown.person(credential);
    }
    shown.show(face, verdict);
  }

  function kept(path) {
    return caches.open('ecert-data').then(function (cache) {
      return cache.match(path, { ignoreVary: true });
    }).then(function (answer) {
      if (!answer) return null;
      return answer.arrayBuffer().then(function (bytes) {
        return { bytes: new Uint8Array(bytes), at: Number(answer.headers.get('ecert-kept-at')) / 1000 };
      });
    });
  }

  function forUse(set, use) {
    return set.keys.filter(function (key) { return key.use === use && key.kty === 'EC' && key.crv === 'P-256'; });
  }

  function judge() {
    var found = /^\/v\/([a-z2-7]{26})$/i.exec(location.pathname), fragment = location.hash.slice(1), credential;
    if (!found) return end('malformed', 'token-shape');
    if (page.own.indexOf(hostOf(location.protocol.slice(0, -1), location.host)) < 0) {
      return end('untrusted', 'foreign-host', { host: location.host, own: page.own.join('、') });
    }
    done.push(['own-origin']);
    if (!fragment) return end('status_unknown', 'offline-needs-payload');
    if (!(self.crypto && crypto.subtle && self.caches)) return end('status_unknown', 'credential-unverifiable');
    try {
      credential = readCredential(unbase32(fragment));
    } catch (error) {
      return end('malformed', 'credential-malformed');
    }
    return kept('/.well-known/ecert-keys.json').then(function (file) {
      var set = null;
      try {
        set = JSON.parse(new TextDecoder().decode(file.bytes));
      } catch (error) {
        set = null;
      }
      age('keys-age', file && file.at);
      // Older than a week, or from the future: keys may have been withdrawn since, or the clock is wrong.
      if (!set || !(file.at - 60 <= now && now < file.at + 7 * DAY)) return end('status_unknown', 'credential-key-unknown');
      return verifyCredential(credential, forUse(set, 'qr-credential')).then(function (code) {
        // A key that came into use after the keys were kept is not the forger's: say so only of a fresh set.
        if (code === 'credential-untrusted' && now > file.at + DAY) return end('status_unknown', 'credential-key-unknown');
        if (code) return end(page.refusals[code], code);
        if (credential.token !== found[1].toUpperCase()) return end('altered', 'credential-other-certificate');
        done.push(['credential-verified']);
        return status(credential, forUse(set, 'status-list'));
      });
    });
  }

  function status(credential, keys) {
    var path = '/status-lists/' + credential.list_id;
    return kept(path).then(function (file) {
      if (!file) {
        age('list-age', 0);
        return end('status_unknown', 'status-list-missing', {}, credential);
      }
      if (!self.DecompressionStream) return end('status_unknown', 'status-list-unreadable', {}, credential);
      return statusFrom(file.bytes, keys, page.official + path, credential.list_index, now).then(function (one) {
        age('list-age', one.issued);
        done.push(['status-list-current', { issued: minute(one.issued), expires: minute(one.expires) }]);
        var verdict = ['valid', 'invalid', 'suspended', 'superseded'][one.value];
        document.getElementById('as-of').textContent = minute(one.issued);
        document.getElementById('standing').hidden = false;
        page.faces.valid.zh = page.faces.valid.zh.replace('{issued}', minute(one.issued));
        page.faces.valid.en = page.faces.valid.en.replace('{issued}', minute(one.issued));
        if (!credential.copy) return end(verdict, 'status-' + verdict, {}, credential);
        done.push(['status-' + verdict]);
        return terms(credential, keys, verdict);
      }, function (error) {
        var late = error && error.message === 'expired';
        age('list-age', late ? error.issued : 0);
        end('status_unknown', late ? 'status-list-expired' : 'status-list-untrusted', { fetched: minute(file.at) }, credential);
      });
    });
  }

  // A purpose-bound copy: never better than its certificate, and only until its last day or its withdrawal.
  function terms(credential, keys, verdict) {
    var copy = credential.copy, path = '/status-lists/' + copy.list_id;
    var until = { until: new Date((copy.ends + 28800 - 1) * 1000).toISOString().slice(0, 10) };
    return kept(path).then(function (file) {
      if (!file) return end('status_unknown', 'status-list-missing', {}, credential);
      return statusFrom(file.bytes, keys, page.official + path, copy.list_index, now).then(function (own) {
        var code = own.value ? 'copy-withdrawn' : now >= copy.ends ? 'copy-expired' : 'copy-current';
        return end(verdict === 'valid' && code !== 'copy-current' ? 'expired_copy' : verdict, code, until, credential);
      }, function () { end('status_unknown', 'status-list-untrusted', { fetched: minute(file.at) }, credential); });
    });
  }

  Promise.resolve().then(judge).then(null, function () { end('status_unknown', 'credential-unverifiable'); });
})();
