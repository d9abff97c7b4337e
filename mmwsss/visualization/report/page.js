'use strict';
// The gallery: chosen, ordered and drawn from the data in the page. Names
// come from files and reach the page as text, never as HTML.
const STEP = 24; // photos that are added at a time

function make(kind, options = {}, children = []) {
  const element = Object.assign(document.createElement(kind), options);
  element.append(...children);
  return element;
}

function stack(photo, over, kind, alt) {
  const children = [photo
    ? make('img', {src: photo, alt})
    : make('p', {className: 'gone', textContent: 'The photo is not there any more.'})];
  if (over) children.push(make('img', {src: over, alt: '', className: `over ${kind}`}));
  return make('div', {className: 'stack'}, children);
}

function tile(photo, over, kind, title) {
  return make('figure', {}, [
    stack(photo.photo, over, kind, `${photo.name}, ${title}`),
    make('figcaption', {textContent: title})]);
}

function shown(number) {
  return number === null || number === undefined ? '–' : `${number.toFixed(0)} %`;
}

// What is said of each class of a mask.
function classLines(data, photo, mask) {
  const indices = new Set([...(photo.labels || []),
    ...Object.keys(mask.ious).map(Number), ...Object.keys(mask.areas).map(Number)]);
  return [...indices].filter(index => index > 0 && index < data.classes.length).map(index => {
    const swatch = make('span', {className: 'swatch'});
    swatch.style.setProperty('--colour', `rgb(${data.palette[index].join(',')})`);
    const parts = [data.classes[index]];
    if (index in mask.ious) parts.push(`IoU ${shown(mask.ious[index])}`);
    parts.push(`covers ${shown(mask.areas[index] || 0)}`);
    parts.push(...(mask.failures[index] || []));
    return make('li', {}, [swatch, parts.join(' · ')]);
  });
}

function card(data, photo, part) {
  const mask = photo.masks[part];
  const view = stack(photo.photo, mask.uri, 'mask wipe', `${photo.name} with its mask`);
  view.append(make('span', {className: 'edge'}));
  const slider = make('input', {type: 'range', min: 0, max: 100, value: 30});
  slider.setAttribute('aria-label', `Border between photo and mask of ${photo.name}`);
  const move = () => view.style.setProperty('--cut', `${slider.value}%`);
  slider.addEventListener('input', move);
  move();
  const tiles = [];
  if (photo.truth) tiles.push(tile(photo, photo.truth, 'mask', 'true mask'));
  for (const [index, uri] of photo.maps) {
    tiles.push(tile(photo, uri, 'map', `map of ${data.classes[index]}`));
  }
  const title = [photo.name];
  if (mask.score !== null) title.push(`IoU ${shown(mask.score)}`);
  if (photo.doubt !== null) title.push(`doubt ${shown(100 * photo.doubt)}`);
  return make('article', {className: 'card'}, [
    make('h3', {textContent: title.join(', ')}), view, slider,
    make('ul', {className: 'classes'}, classLines(data, photo, mask)),
    make('div', {className: 'tiles'}, tiles)]);
}

// The IoU that a photo is ordered by: of one class where one is chosen.
function score(photo, part, index) {
  const mask = photo.masks[part];
  const value = index ? mask.ious[index] : mask.score;
  return value === undefined ? null : value;
}

const ORDERS = {
  worst: (a, b) => a.score - b.score,
  best: (a, b) => b.score - a.score,
  // Where nobody looked for doubtful labels, what fails most comes first.
  doubt: (a, b) => (b.photo.doubt ?? -1) - (a.photo.doubt ?? -1) || b.failed - a.failed,
  name: (a, b) => a.photo.name.localeCompare(b.photo.name)
};

function chosen(data, {part, class: index, failure, order}) {
  const found = data.photos.filter(photo => {
    const mask = photo.masks[part];
    if (!mask) return false;
    if (index && !(photo.labels || []).includes(Number(index))
        && !(index in mask.ious) && !(index in mask.areas)) return false;
    if (!failure) return true;
    const lists = index ? [mask.failures[index] || []] : Object.values(mask.failures);
    return lists.some(names => names.includes(failure));
  }).map(photo => ({photo, score: score(photo, part, index),
    failed: Object.values(photo.masks[part].failures).flat().length}));
  // What has no IoU comes last.
  const byScore = order === 'worst' || order === 'best';
  return found.sort((a, b) => byScore && (a.score === null || b.score === null)
    ? (a.score === null) - (b.score === null) : ORDERS[order](a, b)).map(one => one.photo);
}

function start(section) {
  const data = JSON.parse(section.querySelector('.data').textContent);
  const form = section.querySelector('.controls');
  const cards = section.querySelector('.cards');
  const more = section.querySelector('.more');
  let photos = [];
  let part = 0;
  function add() {
    const before = cards.children.length;
    cards.append(...photos.slice(before, before + STEP).map(photo => card(data, photo, part)));
    more.hidden = cards.children.length >= photos.length;
    section.querySelector('.status').textContent =
      `${photos.length} of ${data.photos.length} photos, ${cards.children.length} shown`;
    return cards.children[before];
  }
  function choose() {
    const wanted = Object.fromEntries(new FormData(form));
    part = wanted.part;
    photos = chosen(data, wanted);
    cards.replaceChildren();
    add();
  }
  form.addEventListener('change', choose);
  form.addEventListener('submit', event => event.preventDefault());
  more.addEventListener('click', () => {
    const first = add();
    if (first) first.querySelector('input').focus();
  });
  choose();
}

document.querySelectorAll('.gallery').forEach(start);
