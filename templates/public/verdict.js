// The QR page: what the address carried after '#', checked here and set beside what the register said.
// The server rendered the answer for the token alone; this only ever adds checks to it.
(function () {
  var page = JSON.parse(document.getElementById('page').textContent);
  var hero = document.getElementById('verdict');
  var checks = document.getElementById('checks');
  var fragment = location.hash.slice(1);
  addEventListener('hashchange', function () { location.reload(); });
  if (!fragment) return;

  function text(id, value) {
    var node = document.getElementById(id);
    node.textContent = value;
    node.hidden = !value;
  }

  function element(tag, className, value) {
    var node = document.createElement(tag);
    if (className) node.className = className;
    if (value) node.textContent = value;
    return node;
  }

  function show(face, verdict) {
    hero.className = 'hero tone-' + face.tone;
    hero.setAttribute('data-tone', face.tone);
    hero.setAttribute('data-verdict', verdict);
    document.getElementById('mark').setAttribute('href', '#i-' + face.icon);
    text('headline', face.zh);
    text('headline-en', face.en);
    text('lead', face.lead);
    text('lead-en', face.lead_en);
    document.title = face.zh;
  }

  function add(code, tone, field) {
    var said = page.words[code];
    var mark = said.ok === true ? 'good' : said.ok === null ? 'caution' : tone === 'good' ? 'bad' : tone;
    var line = element('li', 'tone-' + mark);
    line.setAttribute('data-code', code);
    var icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    var use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', '#i-' + mark);
    icon.setAttribute('role', 'img');
    icon.setAttribute('aria-label', page.outcomes[String(said.ok)]);
    icon.appendChild(use);
    var body = element('div');
    body.appendChild(element('p', 'said', said.zh.replace('{field}', field || '')));
    var english = element('p', 'en', said.en.replace('{field}', field || ''));
    english.lang = 'en';
    body.appendChild(english);
    if (said.remedy) {
      var next = element('div', 'next');
      next.appendChild(element('p', '', said.remedy));
      var nextEnglish = element('p', 'en', said.remedy_en);
      nextEnglish.lang = 'en';
      next.appendChild(nextEnglish);
      body.appendChild(next);
    }
    line.appendChild(icon);
    line.appendChild(body);
    checks.insertBefore(line, checks.firstChild);
  }

  // One row: the signed value beside the registered one; both marked when they differ.
  function compare(field, signed, registered) {
    var row = document.querySelector('[data-f=' + field + ']');
    if (!row || !signed) return;
    var cell = row.querySelector('dd');
    row.hidden = false;
    if (cell && registered === signed) {
      var sources = cell.querySelector('.src');
      sources.insertBefore(chip(), sources.firstChild);
      return;
    }
    var other = element('dd');
    var value = element('span', 'vals', field === 'approved_on' ? chineseDate(signed) : signed);
    if (field === 'name') value.classList.add('big');
    if (cell) {
      cell.querySelector('.vals').classList.add('differs');
      value.classList.add('differs');
    }
    var holder = element('span', 'src');
    holder.appendChild(chip());
    other.appendChild(value);
    other.appendChild(holder);
    row.appendChild(other);
  }

  function chip() {
    return element('b', 's', page.signed);
  }

  function chineseDate(iso) {
    var parts = iso.split('-').map(Number);
    return parts[0] + '年' + parts[1] + '月' + parts[2] + '日';
  }

  // Ideographs that a phone may lack, with their code points, so that a box on the screen misleads nobody.
  function rare(name) {
    var listed = Array.from(name).filter(function (char) {
      var code = char.codePointAt(0);
      return code >= 0x20000 || code >= 0x3400 && code <= 0x4dbf || code >= 0x9fa6 && code <= 0x9fff;
    }).map(function (char) {
      return char + ' U+' + char.codePointAt(0).toString(16).toUpperCase();
    });
    return listed.length ? page.rare.replace('{list}', listed.join('、')) : '';
  }

  var FIELDS = ['name', 'management_no', 'programme_name', 'level', 'specialty', 'approved_on'];

  var settled = false;

  function settle(verdict, code, credential, field) {
    if (settled) return;
    settled = true;
    var face = page.faces[verdict];
    var unsigned = document.getElementById('unsigned');
    if (unsigned) checks.removeChild(unsigned);
    // What is refused for itself is not helped by what the register says of some certificate.
    if (face.refuses) checks.textContent = '';
    var signed = credential && credential.verified;
    add(code, face.tone, field);
    if (signed && code !== 'credential-verified') add('credential-verified', face.tone);
    // What did not pass stands first, as the server draws it.
    Array.from(checks.querySelectorAll('li:not(.tone-good)')).reverse().forEach(function (line) {
      checks.insertBefore(line, checks.firstChild);
    });
    var ours = signed && credential.token === page.token;
    if (ours) {
      var record = page.record || {};
      FIELDS.forEach(function (name) { compare(name, credential[name], record[name]); });
      document.getElementById('signed-key').hidden = false;
    }
    if (ours || face.refuses) {
      document.getElementById('facts').hidden = !ours;
      if (face.refuses) {
        text('facts-title', page.compared);
        document.getElementById('facts').classList.add('refused');
      }
      document.getElementById('cols').classList.toggle('bare', !ours);
    }
    show(face, verdict);
    if (signed && credential.bound) {
      text('who', credential.name);
      text('rare', rare(credential.name));
      text('what', [credential.programme_name, credential.level, credential.specialty].filter(Boolean).join(' · '));
    }
  }

  // A signature that could not be looked at never leaves a better answer than "cannot be determined".
  function undetermined(code) {
    if (settled) return;
    settle(page.verdict === 'valid' ? 'status_unknown' : page.verdict, code, null);
    if (page.verdict === 'valid') show(page.faces.unchecked, 'status_unknown');
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

  show(page.faces.pending, 'pending');
  var late = new Promise(function (resolve, reject) { setTimeout(reject, 8000); });
  Promise.race([judge(), late]).then(null, function () { undetermined('credential-unverifiable'); });
})();
