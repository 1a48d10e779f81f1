# Each target installs what it needs first. Needs make, npm and Node 20 or newer; npm brings the Node that Sluice itself runs on.

.PHONY: help demo test check clean

installed := node_modules/.installed
keep := $(filter-out 0 no false,$(KEEP))

help:
	@echo 'make demo         see Sluice deploy, judge and go back on this machine; takes about a minute'
	@echo 'make demo KEEP=1  the same, and stay up to look around until Ctrl-C'
	@echo 'make test         run all tests'
	@echo 'make check        format, lint, types and dead code'
	@echo 'make clean        remove everything that these targets made here'

demo: $(installed)
	@npm run --silent demo -- $(if $(keep),--keep)

test: $(installed)
	@npm run --silent test

check: $(installed)
	@npm run --silent check

clean:
	rm -rf node_modules dist coverage *.tgz

$(installed): package-lock.json
	npm ci --loglevel=error
	@test -x node_modules/.bin/node || { echo 'npm did not run the install script of the package "node": allow it (npm config get ignore-scripts), then try again.' >&2; exit 1; }
	@touch $@
