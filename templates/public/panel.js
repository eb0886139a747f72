// What a verdict page shows and how it changes, for the QR page and for the same page without a network.
function panel(page) {
  var hero = document.getElementById('verdict');
  var checks = document.getElementById('checks');

  function text(id, value) {
    var node = document.getElementById(id);
    node.textContent = value;
    node.hidden = !value;
  }

  function element(tag, className, value) {
    var node = document.createElement(tag);
    if (className) node.className = className;
    if (value) node.textContent = value;
    if (className === 'en') node.lang = 'en';
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

  // One line of the list: what `code` says, its places filled from `values`; `last` puts it at the end.
  function add(code, tone, values, last) {
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
    function filled(words) {
      return words.replace(/\{(\w+)\}/g, function (place, name) { return values && values[name] || ''; });
    }
    body.appendChild(element('p', 'said', filled(said.zh)));
    body.appendChild(element('p', 'en', filled(said.en)));
    if (said.remedy) {
      var next = element('div', 'next');
      next.appendChild(element('p', '', said.remedy));
      next.appendChild(element('p', 'en', said.remedy_en));
      body.appendChild(next);
    }
    line.appendChild(icon);
    line.appendChild(body);
    checks.insertBefore(line, last ? null : checks.firstChild);
  }

  // What did not pass stands first, as the server draws it.
  function worstFirst() {
    Array.from(checks.querySelectorAll('li:not(.tone-good)')).reverse().forEach(function (line) {
      checks.insertBefore(line, checks.firstChild);
    });
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

  function person(credential) {
    text('who', credential.name);
    text('rare', rare(credential.name));
    text('what', [credential.programme_name, credential.level, credential.specialty].filter(Boolean).join(' · '));
  }

  // Everything that was signed, beside what `record` holds of it.
  function facts(credential, record) {
    ['name', 'management_no', 'programme_name', 'level', 'specialty', 'approved_on'].forEach(function (name) {
      compare(name, credential[name], record[name]);
    });
    document.getElementById('signed-key').hidden = false;
  }

  return { checks: checks, text: text, show: show, add: add, worstFirst: worstFirst, facts: facts, person: person };
}

// The page is kept for times without a network by /sw.js; what is kept holds nothing of any certificate.
if (navigator.serviceWorker) {
  addEventListener('load', function () {
    navigator.serviceWorker.register('/sw.js', { updateViaCache: 'all' }).then(null, function () {});
  });
}
