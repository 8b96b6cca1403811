'use strict';
(() => {
	const root = document.documentElement;
	const sections = new Map([...document.querySelectorAll('section.page')].map(section => [section.id, section]));
	const title = document.title;
	const charts = new Map();

	// Sections: one at a time, by the address's fragment.
	let current;
	function show(focuses) {
		let id = '';
		try { id = decodeURIComponent(location.hash.slice(1)); } catch { /* not an address of ours */ }
		const target = id && document.getElementById(id);
		if (target && target.id === 'main') return;
		const section = (target && target.closest('section.page')) || current || sections.get('area');
		if (section !== current) {
			if (current) current.classList.remove('current');
			current = section;
			section.classList.add('current');
			const heading = section.querySelector('h1');
			document.title = heading.textContent + ' - ' + title;
			prepare(section);
			window.scrollTo({top: 0, behavior: 'instant'});
			if (focuses) heading.focus({preventScroll: true});
		}
		if (target && target !== section) target.scrollIntoView();
	}

	// A section is made ready when it is first seen.
	function prepare(section) {
		if (section.dataset.ready) return;
		section.dataset.ready = 'yes';
		section.querySelectorAll('table').forEach(table => {
			const numbers = [...table.tHead.rows[0].cells].map(cell => cell.classList.contains('n'));
			for (const row of table.tBodies[0].rows) numbers.forEach((number, at) => number && row.cells[at].classList.add('n'));
			if (table.classList.contains('sorts')) makeSortable(table);
		});
		section.querySelectorAll('.scroll').forEach(scroll => overflow.observe(scroll));
		section.querySelectorAll('figure.chart canvas').forEach(canvas => visible.observe(canvas));
	}
	// What scrolls sideways can be reached by keyboard, and says what it is.
	const overflow = new ResizeObserver(entries => entries.forEach(({target}) => {
		if (target.scrollWidth > target.clientWidth) {
			target.tabIndex = 0;
			target.setAttribute('role', 'group');
			target.setAttribute('aria-label', target.querySelector('caption').textContent + ', scrolls sideways');
		} else {
			for (const name of ['tabindex', 'role', 'aria-label']) target.removeAttribute(name);
		}
	}));

	// Charts: drawn from the table behind each, when they come into view.
	const visible = new IntersectionObserver(entries => entries.forEach(({isIntersecting, target}) => {
		if (!isIntersecting) return;
		visible.unobserve(target);
		draw(target);
	}), {rootMargin: '200px'});

	const value = name => getComputedStyle(root).getPropertyValue(name).trim();
	const number = cell => {
		const text = cell.textContent.replace(/[,£%\s]/g, '').replace('−', '-');
		return text !== '' && isFinite(text) ? Number(text) : null;
	};

	function draw(canvas) {
		if (charts.has(canvas)) charts.get(canvas).destroy();
		charts.delete(canvas);
		const figure = canvas.closest('figure');
		const table = figure.querySelector('table');
		const rows = [...table.tBodies[0].rows];
		const lies = figure.dataset.kind === 'rows';
		const percents = rows.some(row => [...row.cells].some(cell => cell.textContent.endsWith('%')));
		const ink = value('--ink'), soft = value('--soft'), line = value('--line');
		const fills = [value('--chart-1'), value('--chart-2')];
		const lines = {line: value('--chart-3'), dash: value('--pace'), mark: value('--pace')};
		const datasets = [];
		[...table.tHead.rows[0].cells].forEach((cell, at) => {
			const series = cell.dataset.series;
			if (!series) return;
			const set = {label: cell.textContent, data: rows.map(row => number(row.cells[at]))};
			if (series === 'line' || series === 'dash') {
				Object.assign(set, {type: 'line', borderColor: lines[series], backgroundColor: lines[series], borderWidth: 2, pointRadius: series === 'dash' ? 0 : 3, order: 0, borderDash: series === 'dash' ? [6, 4] : [], pointStyle: series === 'dash' ? 'line' : 'circle'});
			} else if (series === 'mark') {
				Object.assign(set, {type: 'line', showLine: false, borderColor: lines.mark, backgroundColor: lines.mark, borderWidth: 3, pointBorderWidth: 3, pointStyle: 'line', pointRotation: 90, pointRadius: 14, pointHoverRadius: 14, order: 0});
			} else {
				const fill = fills[datasets.filter(other => other.type === 'bar').length % 2];
				Object.assign(set, {type: 'bar', backgroundColor: fill, pointStyle: 'rect', stack: series === 'stack' ? 'one' : 'of ' + at, order: 1, maxBarThickness: lies ? 22 : 56});
			}
			datasets.push(set);
		});
		figure.classList.remove('nochart');
		if (!rows.length || !datasets.some(set => set.data.some(n => n !== null))) {
			figure.classList.add('nochart');
			return;
		}
		if (lies) canvas.parentNode.style.height = Math.max(10, 5 + rows.length * 2.75) + 'rem';
		const wrapped = text => text.split(' ').reduce((lines, word) => {
			const last = lines.length - 1;
			if (last >= 0 && (lines[last] + ' ' + word).length <= (lies ? 26 : 12)) lines[last] += ' ' + word;
			else lines.push(word);
			return lines;
		}, []);
		const amounts = {beginAtZero: true, ticks: {color: soft, font: {size: 13}, precision: percents ? undefined : 0, callback: n => n.toLocaleString('en-GB') + (percents ? ' %' : '')}, grid: {color: line}, border: {color: line}};
		const names = {ticks: {color: ink, font: {size: 13}, autoSkip: !lies}, grid: {display: false}, border: {color: line}};
		charts.set(canvas, new Chart(canvas, {
			type: 'bar',
			data: {labels: rows.map(row => wrapped(row.cells[0].textContent)), datasets},
			options: {
				animation: false, responsive: true, maintainAspectRatio: false, indexAxis: lies ? 'y' : 'x', spanGaps: false, devicePixelRatio: Math.max(2, devicePixelRatio),
				font: {family: getComputedStyle(document.body).fontFamily},
				scales: lies ? {x: amounts, y: names} : {x: names, y: amounts},
				plugins: {
					legend: {display: datasets.length > 1, align: 'start', labels: {
						color: ink, usePointStyle: true, pointStyleWidth: 24, boxHeight: 8, padding: 14, font: {size: 14},
						generateLabels: chart => Chart.defaults.plugins.legend.labels.generateLabels(chart).map(label => {
							const set = chart.data.datasets[label.datasetIndex];
							return set.type === 'line' ? {...label, pointStyle: 'line', rotation: 0, lineWidth: 3, lineDash: set.borderDash || []} : label;
						}),
					}},
					tooltip: {callbacks: {title: items => items.length ? rows[items[0].dataIndex].cells[0].textContent : '', label: item => item.dataset.label + ': ' + (lies ? item.parsed.x : item.parsed.y).toLocaleString('en-GB') + (percents ? ' %' : '')}},
				},
			},
		}));
	}
	const redraw = () => [...charts.keys()].forEach(draw);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

	// Tables that sort by a column's heading.
	function makeSortable(table) {
		[...table.tHead.rows[0].cells].forEach((cell, at) => {
			const button = document.createElement('button');
			button.type = 'button';
			button.textContent = cell.textContent;
			cell.replaceChildren(button);
			button.addEventListener('click', () => {
				const first = cell.classList.contains('n') ? 'descending' : 'ascending';
				const next = cell.ariaSort === first ? (first === 'ascending' ? 'descending' : 'ascending') : first;
				for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
				cell.setAttribute('aria-sort', next);
				const key = row => row.cells[at].dataset.order !== undefined ? Number(row.cells[at].dataset.order) : number(row.cells[at]) ?? row.cells[at].textContent;
				const compare = (a, b) => typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en-GB', {numeric: true});
				const rows = [...table.tBodies[0].rows].sort((a, b) => (next === 'ascending' ? 1 : -1) * compare(key(a), key(b)));
				table.tBodies[0].append(...rows);
			});
		});
	}

	// Finding a practice: each word typed must be in its name, code, place or PCN.
	const find = document.getElementById('find'), found = document.getElementById('found'), counted = document.getElementById('found-count');
	const fold = text => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
	const practices = [...document.querySelectorAll('#area table[data-table=practices] tbody tr')].map(row => {
		const [name, code, place, pcn] = [...row.cells].map(cell => cell.textContent);
		return {name, href: row.cells[0].querySelector('a').getAttribute('href'), about: [code, place, pcn].join(' · '), text: fold([name, code, place, pcn].join(' '))};
	});
	const most = 12;
	function search() {
		const wanted = fold(find.value).split(/\s+/).filter(Boolean);
		found.hidden = !wanted.length;
		found.replaceChildren();
		counted.textContent = '';
		if (!wanted.length) return;
		const matching = practices.filter(practice => wanted.every(word => practice.text.includes(word)));
		counted.textContent = matching.length === 1 ? '1 practice found' : matching.length + ' practices found';
		for (const practice of matching.slice(0, most)) {
			const link = document.createElement('a'), name = document.createElement('bdi'), about = document.createElement('span'), item = document.createElement('li');
			link.href = practice.href;
			name.textContent = practice.name;
			about.textContent = practice.about;
			link.append(name, about);
			item.append(link);
			found.append(item);
		}
		if (matching.length > most || !matching.length) {
			const rest = document.createElement('li'), said = document.createElement('a');
			said.href = '#area-practices';
			said.textContent = matching.length ? 'and ' + (matching.length - most) + ' more: see all practices' : 'No practice found: see all practices';
			rest.append(said);
			found.append(rest);
		}
	}
	const close = () => { find.value = ''; search(); };
	find.addEventListener('input', search);
	find.closest('.find').addEventListener('keydown', event => {
		const links = [...found.querySelectorAll('a')], at = links.indexOf(document.activeElement);
		if (event.key === 'Escape') { close(); find.focus(); }
		else if (event.key === 'Enter' && document.activeElement === find && links.length) links[0].click();
		else if (event.key === 'ArrowDown' && links.length) { event.preventDefault(); (links[at + 1] || links[0]).focus(); }
		else if (event.key === 'ArrowUp' && links.length) { event.preventDefault(); (at > 0 ? links[at - 1] : find).focus(); }
	});
	found.addEventListener('click', event => { if (event.target.closest('a')) close(); });
	document.addEventListener('click', event => { if (!event.target.closest('.find')) found.hidden = true; });
	find.addEventListener('focus', () => { if (find.value) search(); });
	document.querySelector('.find').hidden = false;

	// Print: the tables behind the charts are opened, and charts are drawn in the printer's colours.
	const opened = [];
	window.addEventListener('beforeprint', () => {
		root.classList.add('paper');
		const printed = root.classList.contains('all') ? [...sections.values()] : [current];
		for (const section of printed) {
			prepare(section);
			section.querySelectorAll('details:not([open])').forEach(details => { details.open = true; opened.push(details); });
			section.querySelectorAll('figure.chart canvas').forEach(canvas => {
				draw(canvas);
				const rows = canvas.closest('figure').querySelectorAll('tbody tr').length;
				if (charts.has(canvas)) charts.get(canvas).resize(640, canvas.closest('figure').dataset.kind === 'rows' ? 70 + rows * 32 : 280); // of the paper nothing is known here
			});
		}
	});
	window.addEventListener('afterprint', () => {
		for (const details of opened.splice(0)) details.open = false;
		root.classList.remove('all', 'paper');
		redraw();
	});
	document.querySelector('.print').hidden = false;
	document.getElementById('print-one').addEventListener('click', () => print());
	document.getElementById('print-all').addEventListener('click', () => { root.classList.add('all'); print(); });

	window.addEventListener('hashchange', () => show(true));
	show(false);
})();
