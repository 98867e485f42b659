// SPDX-License-Identifier: EUPL-1.2
// Cutting a photo in the page: with a finger or mouse, the arrow keys and + and -, or the buttons. It writes the numbers that the form
// holds and draws what they mean; the station counts in the same way (picture.cc), and works without this.

const rounded = (value, times, by) => Math.floor((value * times + Math.floor(by / 2)) / by);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const SMALLEST = 100;

export const begin = (form) => {
  const all = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
  const picture = form.querySelector('[data-crop-picture]');
  const fields = ['left', 'top', 'width'].map((name) => form.elements[`crop.${name}`]);
  if (!picture || fields.some((field) => !field)) return;
  const set = (selector, values) => {
    const element = picture.querySelector(selector);
    for (const [name, value] of Object.entries(values)) element?.setAttribute(name, String(value));
  };

  const largest = Math.min(all.width, rounded(all.height, 35, 45));
  const tallest = Math.min(all.height, rounded(largest, 45, 35));
  const nearest = (left, top, width) => {
    const w = clamp(Math.round(width), Math.min(SMALLEST, largest), largest);
    const h = Math.min(tallest, rounded(w, 45, 35));
    return { left: clamp(Math.round(left), 0, all.width - w), top: clamp(Math.round(top), 0, all.height - h), width: w, height: h };
  };

  let cut = null;
  const show = (wanted) => {
    cut = wanted;
    [fields[0].value, fields[1].value, fields[2].value] = [cut.left, cut.top, cut.width];
    const { left, top, width, height } = cut;
    set('[data-crop-dim]', { d: `M0 0H${all.width}V${all.height}H0zM${left} ${top}h${width}v${height}h-${width}z` });
    set('[data-crop-frame]', { x: left, y: top, width, height });
    set('[data-crop-guide]', { cx: left + Math.floor(width / 2), cy: top + Math.floor(height * 0.47), rx: Math.floor(width * 10 / 35), ry: Math.floor(height * 14 / 45) });
  };
  const read = () => {
    const [left, top, width] = fields.map((field) => Number.parseInt(field.value, 10));
    show([left, top, width].every(Number.isFinite) ? nearest(left, top, width) : nearest((all.width - largest) / 2, (all.height - tallest) / 2, largest));
  };
  const resize = (by) => {
    const other = nearest(0, 0, cut.width + by);
    show(nearest(cut.left + (cut.width - other.width) / 2, cut.top + (cut.height - other.height) / 2, other.width));
  };
  const move = (step, small) => {
    const by = small ? 1 : Math.max(1, Math.floor(cut.width / 20)), grow = Math.max(2, Math.floor(cut.width / (small ? 50 : 10)));
    if (step === 'up') show(nearest(cut.left, cut.top - by, cut.width));
    else if (step === 'down') show(nearest(cut.left, cut.top + by, cut.width));
    else if (step === 'left') show(nearest(cut.left - by, cut.top, cut.width));
    else if (step === 'right') show(nearest(cut.left + by, cut.top, cut.width));
    else if (step === 'larger') resize(grow);
    else if (step === 'smaller') resize(-grow);
    else read();
  };

  form.addEventListener('click', (event) => {
    const button = event.target.closest?.('button[name=move]');
    if (!button) return;
    event.preventDefault();
    move(button.value, false);
  });
  const KEYS = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', '+': 'larger', '=': 'larger', '-': 'smaller' };
  picture.addEventListener('keydown', (event) => {
    const step = KEYS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(step, event.shiftKey && event.key.startsWith('Arrow'));
  });
  fields.forEach((field) => field.addEventListener('change', read));

  let held = null;  // where in the cut it is held, in pixels of the picture
  const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  picture.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const at = place(event);
    held = { x: at.x - cut.left, y: at.y - cut.top };
    // Beside the cut: it comes to where one points.
    if (held.x < 0 || held.y < 0 || held.x > cut.width || held.y > cut.height) {
      held = { x: cut.width / 2, y: cut.height / 2 };
      show(nearest(at.x - held.x, at.y - held.y, cut.width));
    }
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener('pointermove', (event) => {
    if (!held) return;
    const at = place(event);
    show(nearest(at.x - held.x, at.y - held.y, cut.width));
  });
  for (const end of ['pointerup', 'pointercancel']) picture.addEventListener(end, () => { held = null; });
  read();
};
